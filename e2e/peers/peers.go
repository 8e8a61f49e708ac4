package main

import (
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/ThreeDotsLabs/watermill"
	watermillsql "github.com/ThreeDotsLabs/watermill-sql/v4/pkg/sql"
	"github.com/ThreeDotsLabs/watermill/components/forwarder"
	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/apache/pulsar-client-go/pulsar"
	plog "github.com/apache/pulsar-client-go/pulsar/log"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	_ "github.com/jackc/pgx/v5/stdlib" // Watermill wants database/sql
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivermigrate"
)

// peers are libraries that a Go team would reach for to record an event durably and publish it
// later, used as their documentation shows, on the same PostgreSQL and Pulsar with the same
// durability.
type peers struct {
	db        *sql.DB
	publisher message.Publisher
	pool      *pgxpool.Pool
	jobs      *river.Client[pgx.Tx]
	broker    pulsar.Client
}

const forwardedTopic = "persistent://public/default/bench-forwarded"

// watermill is its SQL publisher behind that of its forwarder (outbox), one event a call, from so
// many goroutines.
func (p *peers) watermill(ctx context.Context, length time.Duration, workers int) (done, error) {
	return during(ctx, length, workers, func(context.Context, int) (int, error) {
		return 1, p.publisher.Publish(
			forwardedTopic,
			message.NewMessage(uuid.NewString(), []byte(body)),
		)
	})
}

// forward is the other half: its forwarder reads the outbox and publishes to Pulsar, one message
// after the other as its router hands them on. What Watermill has put into the outbox is its
// backlog.
func (p *peers) forward(ctx context.Context, length time.Duration) (done, error) {
	// one at a time: a batch would only wait
	producer, err := p.broker.CreateProducer(
		pulsar.ProducerOptions{Topic: forwardedTopic, DisableBatching: true},
	)
	if err != nil {
		return done{}, err
	}
	defer producer.Close()

	subscriber, err := watermillsql.NewSubscriber(
		watermillsql.BeginnerFromStdSQL(p.db),
		watermillsql.SubscriberConfig{
			SchemaAdapter:    watermillsql.DefaultPostgreSQLSchema{},
			OffsetsAdapter:   watermillsql.DefaultPostgreSQLOffsetsAdapter{},
			InitializeSchema: true,
		},
		watermill.NopLogger{},
	)
	if err != nil {
		return done{}, err
	}

	out := &forwarded{ctx: ctx, producer: producer}

	f, err := forwarder.NewForwarder(subscriber, out, watermill.NopLogger{}, forwarder.Config{})
	if err != nil {
		return done{}, err
	}

	ended := make(chan error, 1)
	go func() { ended <- f.Run(ctx) }()
	<-f.Running()
	begin, before := time.Now(), out.confirmed.Load()
	time.Sleep(length)
	got := done{Events: int(out.confirmed.Load() - before), Took: time.Since(begin)}

	return got, errors.Join(f.Close(), <-ended)
}

// forwarded is Pulsar as Watermill's router wants it: Publish returns when the broker has stored
// the messages.
type forwarded struct {
	ctx       context.Context //nolint:containedctx // Watermill's interface has none
	producer  pulsar.Producer
	confirmed atomic.Int64
}

// Publish is called by the forwarder.
func (f *forwarded) Publish(_ string, messages ...*message.Message) error {
	for _, m := range messages {
		if _, err := f.producer.Send(
			f.ctx,
			&pulsar.ProducerMessage{Payload: m.Payload},
		); err != nil {
			return err
		}

		f.confirmed.Add(1)
	}

	return nil
}

// Close is called by the forwarder.
func (*forwarded) Close() error { return nil }

// river is its Insert, one job a call, from so many goroutines.
func (p *peers) river(ctx context.Context, length time.Duration, workers int) (done, error) {
	return during(ctx, length, workers, func(ctx context.Context, _ int) (int, error) {
		_, err := p.jobs.Insert(ctx, eventJob{Body: body}, nil)
		return 1, err
	})
}

// riverMany is its InsertMany with 100 jobs a call.
func (p *peers) riverMany(ctx context.Context, length time.Duration, workers int) (done, error) {
	const size = 100

	jobs := make([]river.InsertManyParams, size)
	for i := range jobs {
		jobs[i] = river.InsertManyParams{Args: eventJob{Body: body}}
	}

	return during(ctx, length, workers, func(ctx context.Context, _ int) (int, error) {
		_, err := p.jobs.InsertMany(ctx, jobs)
		return size, err
	})
}

type eventJob struct {
	Body string `json:"body"`
}

// Kind names the job; River asks for it.
func (eventJob) Kind() string { return "tracking_event" }

// newPeers sets both up in the database.
func newPeers(ctx context.Context, databaseURL, pulsarURL string) (*peers, error) {
	db, err := sql.Open("pgx", databaseURL)
	if err != nil {
		return nil, err
	}

	db.SetMaxOpenConns(32)
	db.SetMaxIdleConns(32)

	publisher, err := watermillsql.NewPublisher(
		watermillsql.BeginnerFromStdSQL(db),
		watermillsql.PublisherConfig{
			SchemaAdapter: watermillsql.DefaultPostgreSQLSchema{}, AutoInitializeSchema: true,
		},
		watermill.NopLogger{},
	)
	if err != nil {
		return nil, err
	}

	pool, err := pgxpool.New(ctx, databaseURL+"&pool_max_conns=32")
	if err != nil {
		return nil, err
	}

	migrator, err := rivermigrate.New(
		riverpgxv5.New(pool),
		&rivermigrate.Config{Logger: slog.New(slog.DiscardHandler)},
	)
	if err != nil {
		return nil, err
	}

	if _, err := migrator.Migrate(ctx, rivermigrate.DirectionUp, nil); err != nil {
		return nil, err
	}

	client, err := river.NewClient(
		riverpgxv5.New(pool),
		&river.Config{Logger: slog.New(slog.DiscardHandler)},
	)
	if err != nil {
		return nil, err
	}

	broker, err := pulsar.NewClient(
		pulsar.ClientOptions{
			URL:    pulsarURL,
			Logger: plog.NewLoggerWithSlog(slog.New(slog.DiscardHandler)),
		},
	)
	if err != nil {
		return nil, err
	}

	return &peers{
		db:        db,
		publisher: forwarder.NewPublisher(publisher, forwarder.PublisherConfig{}),
		pool:      pool,
		jobs:      client,
		broker:    broker,
	}, nil
}

func (p *peers) close() {
	_ = p.publisher.Close()
	_ = p.db.Close()
	p.pool.Close()
	p.broker.Close()
}
