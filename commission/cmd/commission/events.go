package main

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"tributary/commission/internal/api/rest"
	"tributary/commission/internal/application/eventlog"
	"tributary/commission/internal/infrastructure/postgres"
	"tributary/commission/internal/infrastructure/pulsar"
	"tributary/contracts"
	"tributary/platform/relay"
	"tributary/platform/service"
	"tributary/platform/service/database"
	"tributary/platform/service/relaying"
)

const (
	keepEvery   = 10 * time.Minute
	heldEvery   = 10 * time.Second
	notifyEvery = 100 * time.Millisecond

	// a page is read while the position is saved, and while requests read the feed
	eventConnections = 8
)

// addEvents adds what happens to the log of changes: the worker that prepares it for the days to
// come and drops old days, the relay to the topic, and what wakes those who wait for the feed. They
// have connections of their own, so that nothing else keeps them waiting. behind reports whether
// events wait to be decided: then the relay leaves the machine to that.
func addEvents(
	ctx context.Context,
	f *service.Frame,
	s *settings,
	store *postgres.Store,
	behind func() bool,
) (*eventlog.Feed, error) {
	pool, err := database.Open(ctx, f, s.DatabaseURL, "commission events", eventConnections)
	if err != nil {
		return nil, err
	}

	log := store.Through(pool).EventLog()
	keeper := &eventlog.Keeper{
		Partitions: log,
		Keep:       s.EventsKeep,
		Now:        f.Now,
		Logger:     f.Logger,
	}
	f.Every("keeper of the log of changes", keepEvery, keeper.Run)

	addHeld(f, log)

	if err := addRelay(f, s, log, behind); err != nil {
		return nil, err
	}

	notifier := eventlog.NewNotifier(log, notifyEvery, f.Logger)
	f.Part("notifier of the feed", notifier.Run)

	return eventlog.NewFeed(log, notifier), nil
}

// addHeld exports for how long a transaction has held the readers of the log.
func addHeld(f *service.Frame, log *postgres.EventLog) {
	held := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "commission_events_held_seconds",
		Help: "Age of the oldest committed event that is not published because a transaction " +
			"that began before it still runs; 0 without one.",
	})
	f.Metrics.MustRegister(held)
	f.Every("watch of the log of changes", heldEvery, func(ctx context.Context) {
		age, err := log.Held(ctx)
		if err != nil {
			f.Logger.DebugContext(ctx, "cannot look at the end of the log; will retry", "error", err)
			return
		}

		held.Set(age.Seconds())
	})
}

// eventLimits are those of a relay whose readers are not in a hurry, beside a consumer that is: it
// gathers longer, so that there are fewer and larger batches, and holds less.
func eventLimits() relay.Limits {
	limits := relay.DefaultLimits()
	limits.GatherLeast = 200 * time.Millisecond
	limits.GatherMost = 200 * time.Millisecond
	limits.Rest = time.Second
	limits.WindowRows = 2000
	limits.WindowBytes = 8 << 20

	return limits
}

func addRelay(
	f *service.Frame,
	s *settings,
	log *postgres.EventLog,
	behind func() bool,
) error {
	schema, err := contracts.AvroSchema(contracts.CommissionEventV1)
	if err != nil {
		return err
	}

	limits := eventLimits()
	publisher := pulsar.NewEventPublisher(f.Broker, pulsar.EventTopic{
		Name:    s.Broker.Topic(contracts.CommissionEvents),
		Schema:  schema,
		Pending: 2 * limits.WindowRows,
		Render:  rest.MarshalEvent,
	})
	events := relay.New(limits, relay.Dependencies[eventlog.Position, eventlog.Event]{
		Log:       log,
		Publisher: publisher,
		Compare:   eventlog.Compare,
		Behind:    behind,
		Holder:    relaying.Holder(),
		Logger:    f.Logger,
		Now:       f.Now,
	})
	f.Part("event_publisher", publisher.Run)
	f.Check("event_publisher", publisher.Ready)
	relaying.Add(
		f,
		"event_relay",
		"commission_relay_",
		events,
		func(p eventlog.Position) int64 { return p.Seq },
	)

	return nil
}
