// Package relaying adds a relay to a service. It is apart from package service because not
// every service has a log to relay.
package relaying

import (
	"context"
	"fmt"
	"os"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"

	"tributary/platform/httpapi"
	"tributary/platform/relay"
	"tributary/platform/service"
)

// Holder returns a name of this replica that no other replica and no earlier process has.
func Holder() string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}

	return fmt.Sprintf("%s/%d/%s", host, os.Getpid(), uuid.NewString()[:8])
}

// Add adds the relay to the service, as a part and a check of the given name. It exports the state
// of the relay as gauges, which begin with the prefix. number returns the number of the entry at a
// position.
func Add[P comparable, E relay.Entry[P]](
	f *service.Frame,
	part, prefix string,
	r *relay.Relay[P, E],
	number func(P) int64,
) {
	watch(f.Metrics, prefix, r, number)
	f.Part(part, r.Run)
	f.Check(part, ready(r))
}

// ready returns the relay's trouble, as advice if only an operator can end it.
func ready[P comparable, E relay.Entry[P]](r *relay.Relay[P, E]) func(context.Context) error {
	return func(context.Context) error {
		var none P

		status := r.Status()
		if status.Refused != none && status.Trouble != nil {
			return httpapi.AdviceError(status.Trouble.Error())
		}

		return status.Trouble
	}
}

func watch[P comparable, E relay.Entry[P]](
	metrics prometheus.Registerer,
	prefix string,
	r *relay.Relay[P, E],
	number func(P) int64,
) {
	gauge := func(name, help string, read func(relay.Status[P]) int64) {
		metrics.MustRegister(prometheus.NewGaugeFunc(
			prometheus.GaugeOpts{
				Name: prefix + name,
				Help: help,
			},
			func() float64 { return float64(read(r.Status())) },
		))
	}

	gauge(
		"leading",
		"1 if this replica relays.",
		func(s relay.Status[P]) int64 {
			if s.Leading {
				return 1
			}

			return 0
		},
	)
	gauge(
		"position",
		"Number of the event up to which the broker has confirmed all events.",
		func(s relay.Status[P]) int64 { return number(s.Position) },
	)
	gauge(
		"in_flight",
		"Events sent but not confirmed.",
		func(s relay.Status[P]) int64 { return s.InFlight },
	)
	gauge(
		"refused",
		"Number of the event that the broker refuses, which blocks all others; 0 without one.",
		func(s relay.Status[P]) int64 { return number(s.Refused) },
	)
}
