package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"

	"tributary/commission/internal/api/rest"
	"tributary/commission/internal/application/eventlog"
	"tributary/commission/internal/infrastructure/postgres"
	"tributary/commission/internal/infrastructure/pulsar"
	"tributary/contracts"
	"tributary/platform/httpapi"
	"tributary/platform/relay"
	"tributary/platform/service"
	"tributary/platform/service/database"
)

const (
	keepEvery   = 10 * time.Minute
	notifyEvery = 100 * time.Millisecond

	// a page is read while the position is saved, and while requests read the feed
	eventConnections = 8
)

type eventRelay = relay.Relay[eventlog.Position, eventlog.Event]

// addEvents adds what happens to the log of changes: the worker that prepares it for the days to
// come and drops old days, the relay to the topic, and what wakes those who wait for the feed. They
// have connections of their own, so that nothing else keeps them waiting.
func addEvents(ctx context.Context, f *service.Frame, s *settings) (*eventlog.Feed, error) {
	pool, err := database.Open(ctx, f, s.DatabaseURL, "commission events", eventConnections)
	if err != nil {
		return nil, err
	}

	log := postgres.New(pool).EventLog()
	keeper := &eventlog.Keeper{
		Partitions: log,
		Keep:       s.EventsKeep,
		Now:        f.Now,
		Logger:     f.Logger,
	}
	f.Every("keeper of the log of changes", keepEvery, keeper.Run)

	if err := addRelay(f, s, log); err != nil {
		return nil, err
	}

	notifier := eventlog.NewNotifier(log, notifyEvery, f.Logger)
	f.Part("notifier of the feed", notifier.Run)

	return eventlog.NewFeed(log, notifier), nil
}

// addRelay adds the relay and its publisher.
func addRelay(f *service.Frame, s *settings, log *postgres.EventLog) error {
	schema, err := contracts.AvroSchema(contracts.CommissionEventV1)
	if err != nil {
		return err
	}

	limits := relay.DefaultLimits()
	publisher := pulsar.NewEventPublisher(f.Broker, pulsar.EventTopic{
		Name:    s.Broker.Topic(contracts.CommissionEvents),
		Schema:  schema,
		Pending: 2 * limits.WindowRows,
		Render:  rest.MarshalEvent,
	})
	relaying := relay.New(limits, relay.Dependencies[eventlog.Position, eventlog.Event]{
		Log:       log,
		Publisher: publisher,
		Compare:   eventlog.Compare,
		Holder:    holder(),
		Logger:    f.Logger,
		Now:       f.Now,
	})
	watchRelay(f.Metrics, relaying)
	f.Part("publisher of events", publisher.Run)
	f.Part("relay of events", relaying.Run)
	f.Check("event_publisher", publisher.Ready)
	f.Check("event_relay", relayReady(relaying))

	return nil
}

// relayReady returns the relay's trouble, as advice if only an operator can end it.
func relayReady(r *eventRelay) func(context.Context) error {
	return func(context.Context) error {
		status := r.Status()
		if status.Refused != (eventlog.Position{}) && status.Trouble != nil {
			return httpapi.AdviceError(status.Trouble.Error())
		}

		return status.Trouble
	}
}

// holder returns a name of this replica that no other replica and no earlier process has.
func holder() string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}

	return fmt.Sprintf("%s/%d/%s", host, os.Getpid(), uuid.NewString()[:8])
}

// watchRelay exports the state of the relay.
func watchRelay(metrics prometheus.Registerer, r *eventRelay) {
	//nolint:forbidigo // a gauge of Prometheus, no money
	gauge := func(name, help string, read func(relay.Status[eventlog.Position]) float64) {
		metrics.MustRegister(prometheus.NewGaugeFunc(
			prometheus.GaugeOpts{Name: name, Help: help},
			func() float64 { return read(r.Status()) }, //nolint:forbidigo // as above
		))
	}

	gauge(
		"commission_relay_leading",
		"1 if this replica relays.",
		func(s relay.Status[eventlog.Position]) float64 { return oneIf(s.Leading) }, //nolint:forbidigo // as above
	)
	gauge(
		"commission_relay_in_flight",
		"Events sent but not confirmed.",
		func(s relay.Status[eventlog.Position]) float64 { return float64(s.InFlight) }, //nolint:forbidigo // as above
	)
	gauge(
		"commission_relay_position",
		"Number of the event up to which the broker has confirmed all events.",
		func(s relay.Status[eventlog.Position]) float64 { return float64(s.Position.Seq) }, //nolint:forbidigo // as above
	)
	gauge(
		"commission_relay_refused",
		"Number of the event that the broker refuses, which blocks all others; 0 without one.",
		func(s relay.Status[eventlog.Position]) float64 { return float64(s.Refused.Seq) }, //nolint:forbidigo // as above
	)
}

func oneIf(condition bool) float64 {
	if condition {
		return 1
	}

	return 0
}
