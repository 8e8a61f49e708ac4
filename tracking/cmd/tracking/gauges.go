package main

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"tributary/platform/relay"
	"tributary/tracking/internal/application/ingest"
	"tributary/tracking/internal/domain/event"
)

// commits measures the commits of events.
type commits struct {
	rows prometheus.Histogram
	took prometheus.Histogram
}

func newCommits(metrics prometheus.Registerer) *commits {
	c := &commits{
		rows: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:    "tracking_commit_events",
			Help:    "Events in a commit.",
			Buckets: []float64{1, 2, 5, 10, 20, 50, 100, 200, 500, 1000},
		}),
		took: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:    "tracking_commit_seconds",
			Help:    "Duration of a commit.",
			Buckets: []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, 1, 5},
		}),
	}
	metrics.MustRegister(c.rows, c.took)

	return c
}

func (c *commits) observe(rows int, took time.Duration) {
	c.rows.Observe(float64(rows))
	c.took.Observe(took.Seconds())
}

// watchRelay exports the state of the relay.
func watchRelay(metrics prometheus.Registerer, r *relay.Relay[int64, event.Entry]) {
	gauge := func(name, help string, read func(relay.Status[int64]) float64) prometheus.Collector {
		return prometheus.NewGaugeFunc(
			prometheus.GaugeOpts{Name: name, Help: help},
			func() float64 { return read(r.Status()) },
		)
	}
	metrics.MustRegister(
		gauge(
			"tracking_relay_leading",
			"1 if this replica relays.",
			func(s relay.Status[int64]) float64 {
				if s.Leading {
					return 1
				}

				return 0
			},
		),
		gauge(
			"tracking_relay_position",
			"Sequence number up to which the broker has confirmed all events.",
			func(s relay.Status[int64]) float64 { return float64(s.Position) },
		),
		gauge(
			"tracking_relay_in_flight",
			"Events sent but not confirmed.",
			func(s relay.Status[int64]) float64 { return float64(s.InFlight) },
		),
		gauge(
			"tracking_relay_refused",
			"Sequence number of the event that the broker refuses, which blocks all others; 0 "+
				"without one.",
			func(s relay.Status[int64]) float64 { return float64(s.Refused) },
		),
	)
}

// watchQueue exports the length of the queue.
func watchQueue(metrics prometheus.Registerer, c *ingest.Coalescer) {
	metrics.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "tracking_intake_waiting", Help: "Events waiting to be written.",
	}, func() float64 { return float64(c.Waiting()) }))
}
