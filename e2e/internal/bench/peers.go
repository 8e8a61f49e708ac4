package bench

import (
	"context"
	"database/sql"
	"log/slog"
	"time"

	"github.com/ThreeDotsLabs/watermill"
	watermillsql "github.com/ThreeDotsLabs/watermill-sql/v4/pkg/sql"
	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	_ "github.com/jackc/pgx/v5/stdlib" // Watermill wants database/sql
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivermigrate"
)

// Peers are libraries that a Go team would reach for to record an event durably and publish it later, used as their documentation shows, on the
// same PostgreSQL with the same durability. Only recording is measured: that is what a caller waits for.
type Peers struct {
	db        *sql.DB
	publisher *watermillsql.Publisher
	pool      *pgxpool.Pool
	river     *river.Client[pgx.Tx]
}

// Watermill is its SQL publisher, one event a call, from so many goroutines: the first half of its forwarder (outbox) component.
func (p *Peers) Watermill(ctx context.Context, length time.Duration, workers int) (Done, error) {
	return during(ctx, length, workers, func(context.Context, int) (int, error) {
		return 1, p.publisher.Publish("events", message.NewMessage(uuid.NewString(), []byte(baselineBody)))
	})
}

// River is its Insert, one job a call, from so many goroutines.
func (p *Peers) River(ctx context.Context, length time.Duration, workers int) (Done, error) {
	return during(ctx, length, workers, func(ctx context.Context, _ int) (int, error) {
		_, err := p.river.Insert(ctx, eventJob{Body: baselineBody}, nil)
		return 1, err
	})
}

// RiverMany is its InsertMany with 100 jobs a call.
func (p *Peers) RiverMany(ctx context.Context, length time.Duration, workers int) (Done, error) {
	const size = 100
	jobs := make([]river.InsertManyParams, size)
	for i := range jobs {
		jobs[i] = river.InsertManyParams{Args: eventJob{Body: baselineBody}}
	}
	return during(ctx, length, workers, func(ctx context.Context, _ int) (int, error) {
		_, err := p.river.InsertMany(ctx, jobs)
		return size, err
	})
}

type eventJob struct {
	Body string `json:"body"`
}

// Kind names the job; River asks for it.
func (eventJob) Kind() string { return "tracking_event" }

// NewPeers sets both up in the database.
func NewPeers(ctx context.Context, databaseURL string) (*Peers, error) {
	db, err := sql.Open("pgx", databaseURL)
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(32)
	db.SetMaxIdleConns(32)
	publisher, err := watermillsql.NewPublisher(watermillsql.BeginnerFromStdSQL(db), watermillsql.PublisherConfig{
		SchemaAdapter: watermillsql.DefaultPostgreSQLSchema{}, AutoInitializeSchema: true,
	}, watermill.NopLogger{})
	if err != nil {
		return nil, err
	}
	pool, err := pgxpool.New(ctx, databaseURL+"&pool_max_conns=32")
	if err != nil {
		return nil, err
	}
	migrator, err := rivermigrate.New(riverpgxv5.New(pool), &rivermigrate.Config{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return nil, err
	}
	if _, err := migrator.Migrate(ctx, rivermigrate.DirectionUp, nil); err != nil {
		return nil, err
	}
	client, err := river.NewClient(riverpgxv5.New(pool), &river.Config{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return nil, err
	}
	return &Peers{db: db, publisher: publisher, pool: pool, river: client}, nil
}

// Close ends the connections.
func (p *Peers) Close() {
	_ = p.publisher.Close()
	_ = p.db.Close()
	p.pool.Close()
}
