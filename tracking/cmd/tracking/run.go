package main

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"

	"tributary/contracts"
	"tributary/migrations"
	"tributary/platform/auth"
	"tributary/platform/broker"
	"tributary/platform/config"
	"tributary/platform/httpapi"
	"tributary/platform/idempotency"
	"tributary/platform/ids"
	"tributary/platform/postgres"
	"tributary/platform/process"
	"tributary/platform/relay"
	"tributary/platform/telemetry"
	"tributary/platform/version"
	"tributary/tracking/internal/api/rest"
	"tributary/tracking/internal/application/ingest"
	"tributary/tracking/internal/application/query"
	"tributary/tracking/internal/domain/event"
	store "tributary/tracking/internal/infrastructure/postgres"
	"tributary/tracking/internal/infrastructure/pulsar"
)

const (
	service    = "tracking"
	healthPath = "/api/v1/tracking/health"
	// forgetEvery is the interval between deletions of old keys.
	forgetEvery = 10 * time.Minute
)

// run runs the whole service: settings, parts, and their order. With the argument healthcheck it
// probes a running one instead, and with openapi it prints the OpenAPI document.
func run(ctx context.Context, args []string) error {
	if len(args) > 0 && args[0] == "openapi" {
		return writeOpenAPI(os.Stdout) //nolint:contextcheck // it serves no request
	}

	var s settings
	if err := config.Load(&s); err != nil {
		return err
	}

	if len(args) > 0 && args[0] == "healthcheck" {
		return httpapi.Probe(ctx, s.HTTPAddr, healthPath)
	}

	logger := telemetry.Logger(os.Stderr, service, s.LogLevel)
	metrics := telemetry.Metrics()

	flushTraces, err := telemetry.Tracing(ctx, service, s.OTLPEndpoint, logger)
	if err != nil {
		return err
	}

	defer func() { _ = flushTraces(context.WithoutCancel(ctx)) }()

	schemaVersion, err := migrations.Tracking().Version()
	if err != nil {
		return err
	}

	schema, err := contracts.AvroSchema(contracts.TrackingEventV1)
	if err != nil {
		return err
	}

	verifier, err := auth.NewOptional(ctx, s.Auth, auth.Needs{Now: time.Now, Logger: logger})
	if err != nil {
		return err
	}

	db, err := openPools(ctx, s)
	if err != nil {
		return err
	}

	client, err := broker.Dial(s.Broker, logger, metrics)
	if err != nil {
		return err
	}

	limits := relay.DefaultLimits()
	limits.Lease = s.Lease
	publisher := pulsar.New(client, s.Broker.Topic(s.Topic), schema, 2*limits.WindowRows)
	publishing := relay.New(limits, relay.Dependencies[int64, event.Entry]{
		Log:       store.NewLog(db.relay),
		Publisher: publisher,
		Compare:   cmp.Compare[int64],
		Holder:    holder(),
		Logger:    logger,
		Now:       time.Now,
	})
	gauges := newGauges(metrics, publishing)
	intake := ingest.NewCoalescer(s.limits(), ingest.Needs{
		Store:     store.NewAppender(db.writers),
		Stored:    publishing.Wake,
		Committed: gauges.committed,
		Logger:    logger,
		Now:       time.Now,
	})
	gauges.watchQueue(metrics, intake)
	keys := store.NewKeys(db.keys)
	forgetter := &idempotency.Forgetter{Keys: keys, Now: time.Now, Logger: logger}

	health := httpapi.NewHealth(service,
		httpapi.Check{Name: "database", Needed: true, Probe: postgres.Ready(db.relay, schemaVersion)},
		httpapi.Check{Name: "broker", Probe: publisher.Ready},
		httpapi.Check{Name: "token_keys", Needed: true, Probe: verifier.Ready},
		httpapi.Check{Name: "relay", Probe: relayReady(publishing)},
	)
	api := newAPI(wiring{ //nolint:contextcheck // middleware takes the context of its request
		metricsApart: s.MetricsAddr != "",
		cursors:      s.DatabaseURL,
		logger:       logger,
		metrics:      metrics,
		health:       health,
		verifier:     verifier,
		open:         verifier == nil,
		limits:       auth.NewLimits(s.RateLimit, s.RateWindow, time.Now),
		ingest:       ingest.New(intake, keys, ids.New("tracking:event"), time.Now),
		query:        query.New(store.NewLog(db.readers)),
	})
	server := &httpapi.Server{
		Addr:    s.HTTPAddr,
		Handler: httpapi.CORS(s.CORS.Origins, api.Router),
		Health:  health,
		Logger:  logger,
	}

	parts := []process.Part{
		process.Closer("database", db.close),
		process.Closer("broker client", client.Close),
		{Name: "publisher", Run: publisher.Run},
		{Name: "relay", Run: publishing.Run},
		{Name: "intake", Run: intake.Run},
		process.Every("forgetter of old keys", forgetEvery, forgetter.Forget),
	}
	parts = append(parts, server.Parts(s.MetricsAddr, metrics)...)

	return process.Run(ctx, logger, parts...)
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

func openPools(ctx context.Context, s settings) (p pools, err error) {
	for _, of := range []struct {
		pool        **pgxpool.Pool
		application string
		connections int32
	}{
		{&p.readers, service, s.Readers},
		{&p.writers, service + " writers", int32(s.Writers)}, //nolint:gosec // Validate bounds it
		{&p.keys, service + " keys", keyConnections},
		{&p.relay, service + " relay", relayConnections},
	} {
		c := postgres.Config{
			URL:         s.DatabaseURL,
			Application: of.application,
			MaxConns:    of.connections,
			Trace:       s.OTLPEndpoint != "",
		}
		if *of.pool, err = postgres.Open(ctx, c); err != nil {
			return p, err
		}
	}

	return p, nil
}

func (p pools) close() {
	p.readers.Close()
	p.writers.Close()
	p.keys.Close()
	p.relay.Close()
}

// relayReady returns the relay's trouble, as advice if only an operator can end it.
func relayReady(r *relay.Relay[int64, event.Entry]) func(context.Context) error {
	return func(context.Context) error {
		status := r.Status()
		if status.Refused != 0 && status.Trouble != nil {
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

// wiring holds the dependencies of the HTTP side.
type wiring struct {
	metricsApart bool
	cursors      string // what the cursors of lists are sealed by
	logger       *slog.Logger
	metrics      *prometheus.Registry
	health       *httpapi.Health
	verifier     *auth.Verifier
	open         bool // no request needs a token
	limits       auth.Limits
	ingest       *ingest.Handler
	query        *query.Handler
}

func newAPI(w wiring) *httpapi.API {
	api := httpapi.New(httpapi.Config{
		Service:    service,
		Title:      "Tributary Tracking",
		Version:    version.Number,
		HealthPath: healthPath,
		Description: "Records events in an append-only log and publishes them to Apache Pulsar. " +
			"A request is answered after its events are committed.",
		Codes:        rest.Codes(),
		Tags:         rest.Tags(),
		Open:         w.open,
		Health:       w.health,
		Logger:       w.logger,
		Metrics:      w.metrics,
		MetricsApart: w.metricsApart,
		Now:          time.Now,
		Caller:       auth.User,
		CursorSecret: w.cursors,
		Middleware:   []func(huma.Context, func(huma.Context)){auth.Middleware(w.verifier, w.limits)},
	})
	rest.Register(api.Huma, w.ingest, w.query)

	return api
}
