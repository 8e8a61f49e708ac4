package main

import (
	"context"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"tributary/commission/internal/api/events"
	"tributary/commission/internal/api/rest"
	"tributary/commission/internal/application/command"
	"tributary/commission/internal/application/query"
	"tributary/commission/internal/application/replay"
	"tributary/commission/internal/infrastructure/account"
	"tributary/commission/internal/infrastructure/payfile"
	"tributary/commission/internal/infrastructure/postgres"
	business "tributary/commission/internal/infrastructure/prometheus"
	"tributary/commission/internal/infrastructure/pulsar"
	"tributary/contracts"
	"tributary/migrations"
	"tributary/platform/broker"
	platform "tributary/platform/postgres"
	"tributary/platform/sealed"
	"tributary/platform/service"
	"tributary/platform/service/database"
)

const (
	// Messages of a batch, at most. With 250 the database takes a tenth more time an event; with
	// 1000 as much, while twice as many wait in memory, where the collector has to look at them.
	maxBatch = 500
	workers  = 4 // batches of tracking events decided concurrently
	maxConns = 16

	approveEvery   = 2 * time.Second
	replayEvery    = 2 * time.Second
	letterDeadline = 10 * time.Second
)

func run(ctx context.Context, args []string) error {
	return service.Run(ctx, args, program(new(settings)))
}

func program(s *settings) service.Program {
	return service.Program{
		About:    about(),
		Settings: s,
		Routes:   func(api huma.API) { rest.Register(api, rest.UseCases{}) },
		Build: func(ctx context.Context, f *service.Frame) (service.Routes, error) {
			return build(ctx, f, s)
		},
	}
}

func about() service.About {
	return service.About{
		Name:        "commission",
		Title:       "Tributary Commission",
		HealthPath:  rest.Base + "/health",
		Description: "Decides once what every tracking event earns, and explains every cent of it.",
		Tags:        rest.Tags(),
	}
}

// build adds the parts of the service: from the database, which stops last, to the requests.
func build(ctx context.Context, f *service.Frame, s *settings) (service.Routes, error) {
	store, err := openStore(ctx, f, s)
	if err != nil {
		return nil, err
	}

	accounts, err := accountsOf(s.Sealed)
	if err != nil {
		return nil, err
	}

	f.Check("broker", f.Broker.Ping)

	counted := business.New(f.Metrics, f.Now)
	decide := command.NewConsumeEvents(counted.Decisions(store), f.Now, newID)
	consumer := consumeEvents(f, s, decide)

	payouts, batches := counted.Payouts(store.Payouts()), store.Batches()
	consumePaymentRequests(f, s, command.NewRequestPayout(payouts, s.minimum, f.Now))

	commissions := counted.Commissions(store.Commissions())
	f.Every("approver", approveEvery, command.NewApproveDue(commissions, f.Now, f.Logger).Handle)
	f.ForgetKeys(store)

	replays := replay.New(replay.Dependencies{
		Store:   counted.Replaying(store),
		Replays: store.Replays(),
		Now:     f.Now,
		Zone:    s.zone,
		NewID:   newID,
		Logger:  f.Logger,
	})
	f.Every("worker of replays", replayEvery, replays.Work)

	feed, err := addEvents(ctx, f, s, store, consumer.Behind)
	if err != nil {
		return nil, err
	}

	return func(api huma.API) {
		rest.Register(api, rest.UseCases{
			GetCommission:   query.NewGetCommission(store),
			ListCommissions: query.NewListCommissions(store),
			GetDecision:     query.NewGetDecision(store),
			GetPayments:     query.NewGetPayments(store.Payments()),
			GetCoverage:     query.NewGetCoverage(store.Payments()),
			ListItems:       query.NewListPayoutItems(store.Payouts(), store.Payments()),
			ListShares:      query.NewListCommissionPayouts(store, store.Payments()),
			ActOnCommission: command.NewActOnCommission(commissions),
			ActInBulk:       command.NewActInBulk(commissions, store),
			Adjust:          command.NewAdjust(commissions, newID, s.secondPersonAbove),
			ClosePayout:     command.NewClosePayout(payouts),
			ListPayouts:     query.NewListPayouts(store.Payouts()),
			GetPayout:       query.NewGetPayout(store.Payouts()),
			GetBalances:     query.NewGetBalances(store.Liabilities()),
			ListBalances:    query.NewListBalances(store.Liabilities()),
			Liabilities:     query.NewGetLiabilities(store.Liabilities(), f.Now),
			Statements:      query.NewStatements(store.Statements(), s.zone, f.Now),
			ListLedger:      query.NewListLedger(store),
			ListAudit:       query.NewListAudit(store),
			Batches:         query.NewBatches(batches),
			CreateBatch:     command.NewCreateBatch(batches, newID, s.fourEyes),
			ApproveBatch:    command.NewApproveBatch(batches, s.fourEyes),
			SendBatch:       command.NewSendBatch(batches),
			CancelBatch:     command.NewCancelBatch(batches),
			CreateFile:      command.NewCreateFile(batches, payfile.Formats(s.payer, s.zone), accounts),
			SettleBatch:     command.NewSettleBatch(counted.Results(batches)),
			OpenAccount:     command.NewOpenAccount(store, accounts),
			Feed:            feed,
			PublishRule:     command.NewPublishRule(store, newID),
			RetireRule:      command.NewRetireRule(store),
			Rules:           query.NewRules(store),
			Explain:         query.NewExplain(store),
			Summarize:       query.NewSummarize(store),
			Replay:          replays,
			Replays:         query.NewReplays(store.Replays()),
			CancelReplay:    command.NewCancelReplay(store.Replays()),
			Zone:            s.zone,
			Now:             f.Now,
		})
	}, nil
}

func openStore(ctx context.Context, f *service.Frame, s *settings) (*postgres.Store, error) {
	version, err := migrations.Commission().Version()
	if err != nil {
		return nil, err
	}

	pool, err := database.Open(ctx, f, s.DatabaseURL, "commission", maxConns)
	if err != nil {
		return nil, err
	}

	f.Need("database", platform.Ready(pool, version))

	return postgres.New(pool), nil
}

// consumeEvents adds the consumer of tracking events and the publisher of its dead letters.
func consumeEvents(
	f *service.Frame,
	s *settings,
	handler *command.ConsumeEvents,
) *broker.Consumer {
	letters := deadLetters(f, s, contracts.TrackingEventsDeadLetter)
	consumer := f.Broker.NewConsumer(broker.ConsumerConfig{
		Topic:        s.Topic,
		Subscription: contracts.Commission,
		MaxBatch:     maxBatch,
		Workers:      workers,
		Trace:        f.Trace,
		Unreadable:   events.Unreadable(letters, f.Logger),
	})
	tracking := events.NewTracking(handler, letters, f.Logger)
	f.Part("consumer of tracking events", func(ctx context.Context) error {
		return consumer.Run(ctx, tracking.Handle)
	})
	f.Check("subscription", func(context.Context) error { return consumer.Ready() })

	return consumer
}

// consumePaymentRequests adds the consumer of payment requests and the publisher of its dead
// letters.
func consumePaymentRequests(f *service.Frame, s *settings, handler *command.RequestPayout) {
	letters := deadLetters(f, s, contracts.PaymentRequestDeadLetter)
	consumer := f.Broker.NewConsumer(broker.ConsumerConfig{
		Topic:        s.Broker.Topic(contracts.PaymentRequest),
		Subscription: contracts.Commission,
		MaxBatch:     maxBatch,
		Trace:        f.Trace,
		Unreadable:   events.Unreadable(letters, f.Logger),
	})
	payments := events.NewPayments(handler, letters, s.Production(), f.Logger)
	f.Part("consumer of payment requests", func(ctx context.Context) error {
		return consumer.Run(ctx, payments.Handle)
	})
	f.Check("payment_requests", func(context.Context) error { return consumer.Ready() })
}

// deadLetters adds the publisher to a dead-letter topic.
func deadLetters(f *service.Frame, s *settings, topic string) *pulsar.DeadLetters {
	publisher := f.Broker.NewPublisher(broker.PublisherConfig{
		Topic:       s.Broker.Topic(topic),
		MaxPending:  maxBatch,
		SendTimeout: letterDeadline,
	})
	f.Part("publisher of "+topic, publisher.Run)

	return pulsar.NewDeadLetters(publisher, f.Now)
}

// accountsOf returns a reader that, without keys, leaves sealed account details closed.
func accountsOf(cfg sealed.Config) (account.Reader, error) {
	ring, err := sealed.Load(cfg)
	if err != nil || ring == nil {
		return account.Reader{}, err
	}

	return account.NewReader(ring.Open), nil
}

func newID() string { return uuid.Must(uuid.NewV7()).String() }
