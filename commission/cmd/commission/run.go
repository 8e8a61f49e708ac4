package main

import (
	"context"
	"log/slog"
	"os"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"

	"tributary/commission/internal/api/events"
	"tributary/commission/internal/api/rest"
	"tributary/commission/internal/application/command"
	"tributary/commission/internal/application/consume"
	"tributary/commission/internal/application/explain"
	"tributary/commission/internal/application/publish"
	"tributary/commission/internal/application/query"
	"tributary/commission/internal/application/replay"
	"tributary/commission/internal/application/settle"
	"tributary/commission/internal/infrastructure/postgres"
	business "tributary/commission/internal/infrastructure/prometheus"
	"tributary/commission/internal/infrastructure/pulsar"
	"tributary/contracts"
	"tributary/migrations"
	"tributary/platform/auth"
	"tributary/platform/broker"
	"tributary/platform/config"
	"tributary/platform/httpapi"
	"tributary/platform/idempotency"
	platform "tributary/platform/postgres"
	"tributary/platform/process"
	"tributary/platform/sealed"
	"tributary/platform/telemetry"
	"tributary/platform/version"
)

const (
	service    = "commission"
	healthPath = rest.Base + "/health"
	// Messages of a batch, at most. With 500 the database took a quarter more time an event, with
	// 2000 no less.
	maxBatch = 1000
	workers  = 4 // batches of tracking events decided concurrently
	maxConns = 16

	approveEvery = 2 * time.Second
	forgetEvery  = 10 * time.Minute
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

	schema, err := migrations.Commission().Version()
	if err != nil {
		return err
	}

	pool, err := platform.Open(ctx, platform.Config{
		URL:         s.DatabaseURL,
		Application: service,
		MaxConns:    maxConns,
		Trace:       s.OTLPEndpoint != "",
	})
	if err != nil {
		return err
	}

	client, err := broker.Dial(s.Broker, logger, metrics)
	if err != nil {
		return err
	}

	verifier, err := auth.NewOptional(ctx, s.Auth, auth.Needs{Now: time.Now, Logger: logger})
	if err != nil {
		return err
	}

	unseal, err := unsealer(s.Sealed)
	if err != nil {
		return err
	}

	store, counted := postgres.New(pool), business.New(metrics, time.Now)
	deadPublisher := client.NewPublisher(
		broker.PublisherConfig{
			Topic:       s.Broker.Topic(contracts.TrackingEventsDeadLetter),
			MaxPending:  maxBatch,
			SendTimeout: 10 * time.Second,
		},
	)
	deadRequests := client.NewPublisher(
		broker.PublisherConfig{
			Topic:       s.Broker.Topic(contracts.PaymentRequestDeadLetter),
			MaxPending:  maxBatch,
			SendTimeout: 10 * time.Second,
		},
	)
	eventLetters := pulsar.NewDeadLetters(deadPublisher, time.Now)
	requestLetters := pulsar.NewDeadLetters(deadRequests, time.Now)
	consumer := client.NewConsumer(broker.ConsumerConfig{
		Topic:        s.Topic,
		Subscription: contracts.Commission,
		MaxBatch:     maxBatch,
		Workers:      workers,
		Trace:        s.OTLPEndpoint != "",
		Unreadable:   events.Unreadable(eventLetters, logger),
	})
	requests := client.NewConsumer(broker.ConsumerConfig{
		Topic:        s.Broker.Topic(contracts.PaymentRequest),
		Subscription: contracts.Commission,
		MaxBatch:     maxBatch,
		Trace:        s.OTLPEndpoint != "",
		Unreadable:   events.Unreadable(requestLetters, logger),
	})
	payouts := counted.Payouts(store.Payouts())
	payments := events.NewPayments(
		command.NewRequestPayout(payouts, time.Now),
		requestLetters,
		s.Production(),
		logger,
	)
	approver := &settle.Approver{Store: counted.Settling(store), Now: time.Now, Logger: logger}
	forgetter := &idempotency.Forgetter{Keys: store, Now: time.Now, Logger: logger}
	tracking := events.NewTracking(
		consume.New(counted.Consuming(store), time.Now, newID),
		eventLetters,
		logger,
	)

	health := httpapi.NewHealth(
		service,
		httpapi.Check{Name: "database", Needed: true, Probe: platform.Ready(pool, schema)},
		httpapi.Check{Name: "token_keys", Needed: true, Probe: verifier.Ready},
		httpapi.Check{Name: "broker", Probe: client.Ping},
		httpapi.Check{
			Name:  "subscription",
			Probe: func(context.Context) error { return consumer.Ready() },
		},
		httpapi.Check{
			Name:  "payment_requests",
			Probe: func(context.Context) error { return requests.Ready() },
		},
	)
	//nolint:contextcheck // the context of a request is inside of huma.Context
	api := newAPI(wiring{
		metricsApart: s.MetricsAddr != "",
		cursors:      s.DatabaseURL,
		logger:       logger,
		metrics:      metrics,
		health:       health,
		verifier:     verifier,
		open:         verifier == nil,
		limits:       auth.NewLimits(s.RateLimit, s.RateWindow, time.Now),
		uses: rest.UseCases{
			Commissions: store,
			Settle:      settle.New(counted.Settling(store), newID, s.secondPersonAbove),
			ClosePayout: command.NewClosePayout(payouts),
			ListPayouts: query.NewListPayouts(store.Payouts()),
			GetPayout:   query.NewGetPayout(store.Payouts()),
			GetBalances: query.NewGetBalances(store.Payouts()),
			Unseal:      unseal,
			Publish:     publish.New(store, newID),
			Rules:       store,
			Explain:     explain.New(store),
			Summaries:   store,
			Replay:      replay.New(counted.Replaying(store), newID),
			Frames:      store,
			Now:         time.Now,
		},
	})
	server := &httpapi.Server{
		Addr:    s.HTTPAddr,
		Handler: api.Router,
		Health:  health,
		Logger:  logger,
	}

	parts := []process.Part{
		process.Closer("database pool", pool.Close),
		process.Closer("broker client", client.Close),
		{Name: "dead letters", Run: deadPublisher.Run},
		{
			Name: "consumer of tracking events",
			Run:  func(ctx context.Context) error { return consumer.Run(ctx, tracking.Handle) },
		},
		{Name: "dead payment requests", Run: deadRequests.Run},
		{
			Name: "consumer of payment requests",
			Run:  func(ctx context.Context) error { return requests.Run(ctx, payments.Handle) },
		},
		process.Every("approver", approveEvery, approver.Approve),
		process.Every("forgetter of old keys", forgetEvery, forgetter.Forget),
	}
	parts = append(parts, server.Parts(s.MetricsAddr, metrics)...)

	return process.Run(ctx, logger, parts...)
}

// unsealer returns nil without keys: sealed account details then stay closed.
func unsealer(cfg sealed.Config) (func(text, commandID string) ([]byte, error), error) {
	ring, err := sealed.Load(cfg)
	if err != nil || ring == nil {
		return nil, err
	}

	return ring.Open, nil
}

func newID() string { return uuid.Must(uuid.NewV7()).String() }

// wiring holds the dependencies of the HTTP side.
type wiring struct {
	metricsApart bool
	cursors      string // the secret that seals the cursors of lists
	logger       *slog.Logger
	metrics      *prometheus.Registry
	health       *httpapi.Health
	verifier     *auth.Verifier
	open         bool // no request needs a token
	limits       auth.Limits
	uses         rest.UseCases
}

func newAPI(w wiring) *httpapi.API {
	api := httpapi.New(httpapi.Config{
		Service:      service,
		Title:        "Tributary Commission",
		Version:      version.Number,
		HealthPath:   healthPath,
		Description:  "Decides once what every tracking event earns, and explains every cent of it.",
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
	rest.Register(api.Huma, w.uses)

	return api
}
