package main

import (
	"cmp"
	"context"

	"github.com/danielgtaylor/huma/v2"
	"github.com/jackc/pgx/v5/pgxpool"

	"tributary/contracts"
	"tributary/migrations"
	"tributary/platform/ids"
	"tributary/platform/postgres"
	"tributary/platform/relay"
	"tributary/platform/service"
	"tributary/platform/service/database"
	"tributary/platform/service/relaying"
	"tributary/tracking/internal/api/rest"
	"tributary/tracking/internal/application/command"
	"tributary/tracking/internal/application/ingest"
	"tributary/tracking/internal/application/query"
	"tributary/tracking/internal/domain/event"
	store "tributary/tracking/internal/infrastructure/postgres"
	"tributary/tracking/internal/infrastructure/pulsar"
)

func run(ctx context.Context, args []string) error {
	return service.Run(ctx, args, program(new(settings)))
}

func program(s *settings) service.Program {
	return service.Program{
		About:    about(),
		Settings: s,
		Routes: func(api huma.API) {
			rest.Register(api, command.New(nil, nil, nil, nil), query.New(nil))
		},
		Build: func(ctx context.Context, f *service.Frame) (service.Routes, error) {
			return build(ctx, f, s)
		},
	}
}

func about() service.About {
	return service.About{
		Name:       "tracking",
		Title:      "Tributary Tracking",
		HealthPath: "/api/v1/tracking/health",
		Description: "Records events in an append-only log and publishes them to Apache Pulsar. " +
			"A request is answered after its events are committed.",
		Tags: rest.Tags(),
	}
}

// build adds the parts of the service: from the broker, which stops last, to the requests.
func build(ctx context.Context, f *service.Frame, s *settings) (service.Routes, error) {
	db, err := openPools(ctx, f, s)
	if err != nil {
		return nil, err
	}

	events, err := addRelay(f, s, db)
	if err != nil {
		return nil, err
	}

	intake := addIntake(f, s, db, events)
	keys := store.NewKeys(db.keys)
	f.ForgetKeys(keys)

	//nolint:contextcheck // the context of a request is inside of huma.Context
	return func(api huma.API) {
		rest.Register(
			api,
			command.New(intake, keys, ids.New("tracking:event"), f.Now),
			query.New(store.NewLog(db.readers)),
		)
	}, nil
}

// pools are the connections to the database, one pool for each kind of work, so that none keeps
// another waiting.
type pools struct {
	readers *pgxpool.Pool // queries
	writers *pgxpool.Pool // commits
	keys    *pgxpool.Pool // look-ups of the keys of requests
	relay   *pgxpool.Pool // the relay, its lease, and readiness
}

const (
	keyConnections = 4
	// a page is read while the position is saved and readiness probes the database
	relayConnections = 4
)

func openPools(ctx context.Context, f *service.Frame, s *settings) (p pools, err error) {
	version, err := migrations.Tracking().Version()
	if err != nil {
		return p, err
	}

	for _, of := range []struct {
		pool        **pgxpool.Pool
		application string
		connections int32
	}{
		{&p.readers, "tracking", s.Readers},
		{&p.writers, "tracking writers", int32(s.Writers)}, //nolint:gosec // Validate bounds it
		{&p.keys, "tracking keys", keyConnections},
		{&p.relay, "tracking relay", relayConnections},
	} {
		*of.pool, err = database.Open(ctx, f, s.DatabaseURL, of.application, of.connections)
		if err != nil {
			return p, err
		}
	}

	f.Need("database", postgres.Ready(p.relay, version))

	return p, nil
}

func addRelay(
	f *service.Frame,
	s *settings,
	db pools,
) (*relay.Relay[int64, event.Entry], error) {
	schema, err := contracts.AvroSchema(contracts.TrackingEventV1)
	if err != nil {
		return nil, err
	}

	limits := relay.DefaultLimits()
	limits.Lease = s.Lease
	publisher := pulsar.New(f.Broker, s.Broker.Topic(s.Topic), schema, 2*limits.WindowRows)
	events := relay.New(limits, relay.Dependencies[int64, event.Entry]{
		Log:       store.NewLog(db.relay),
		Publisher: publisher,
		Compare:   cmp.Compare[int64],
		Holder:    relaying.Holder(),
		Logger:    f.Logger,
		Now:       f.Now,
	})
	f.Part("publisher", publisher.Run)
	f.Check("broker", publisher.Ready)
	relaying.Add(
		f,
		"relay",
		"tracking_relay_",
		events,
		func(position int64) int64 { return position },
	)

	return events, nil
}

// addIntake adds the queue that commits events. The relay is woken after each commit.
func addIntake(
	f *service.Frame,
	s *settings,
	db pools,
	events *relay.Relay[int64, event.Entry],
) *ingest.Coalescer {
	intake := ingest.NewCoalescer(s.limits(), ingest.Dependencies{
		Store:     store.NewAppender(db.writers),
		Stored:    events.Wake,
		Committed: newCommits(f.Metrics).observe,
		Logger:    f.Logger,
		Now:       f.Now,
	})
	watchQueue(f.Metrics, intake)
	f.Part("intake", intake.Run)

	return intake
}
