package bench

import (
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/apache/pulsar-client-go/pulsar"
	plog "github.com/apache/pulsar-client-go/pulsar/log"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Baselines measure what this machine's PostgreSQL and Pulsar can do with the least code around
// them.
type Baselines struct {
	pool     *pgxpool.Pool
	producer pulsar.Producer
	client   pulsar.Client
	load     Load
	written  atomic.Int64
}

// The same table as the log, with its indexes but without its triggers: the same bytes, and none of
// our code around them.
const baselineTable = `CREATE TABLE IF NOT EXISTS baseline (LIKE events INCLUDING ALL)`

const baselineBody = `{"schema_version":"v1","event_id":"0192f0e0-0000-7000-8000-000000000000",` +
	`"user_id":"user-12345",` +
	`"event_type":"click","occurred_at":"2026-01-02T03:04:05Z",` +
	`"received_at":"2026-01-02T03:04:05Z","campaign_id":"camp-1","metadata":"{\"page\":\"/offers/summer\"}"}`

// NewBaselines prepares a table like the log in tracking's database, and a producer on a topic of
// its own. Its rows are the load's events.
func NewBaselines(
	ctx context.Context,
	databaseURL, pulsarURL string,
	load Load,
) (*Baselines, error) {
	pool, err := pgxpool.New(ctx, databaseURL)
	if err != nil {
		return nil, err
	}

	if _, err := pool.Exec(ctx, baselineTable); err != nil {
		return nil, fmt.Errorf("baseline table: %w", err)
	}

	client, err := pulsar.NewClient(
		pulsar.ClientOptions{
			URL:    pulsarURL,
			Logger: plog.NewLoggerWithSlog(slog.New(slog.DiscardHandler)),
		},
	)
	if err != nil {
		return nil, err
	}

	producer, err := client.CreateProducer(
		pulsar.ProducerOptions{
			Topic:              "persistent://public/default/bench-baseline",
			MaxPendingMessages: 10_000,
		},
	)
	if err != nil {
		return nil, err
	}

	return &Baselines{
		pool:     pool,
		producer: producer,
		client:   client,
		load:     load,
	}, nil
}

// Close ends the connections.
func (b *Baselines) Close() {
	b.producer.Close()
	b.client.Close()
	b.pool.Close()
}

// rows returns a number of events as Load creates them, so that the baselines touch as much of
// their indexes.
func (b *Baselines) rows(size int) (ids, users, campaigns, metadata []string, hashes [][]byte) {
	n := int(b.written.Add(int64(size))) - size
	for i := n; i < n+size; i++ {
		id := uuid.Must(uuid.NewV7())
		user, campaign, text := b.load.members(i)
		ids = append(ids, id.String())
		users = append(users, user)
		campaigns = append(campaigns, campaign)
		metadata = append(metadata, text)
		hashes = append(hashes, id[:])
	}

	return ids, users, campaigns, metadata, hashes
}

// OneRow is B1: one row a commit on one connection.
func (b *Baselines) OneRow(ctx context.Context, length time.Duration) (Done, error) {
	const insert = `INSERT INTO baseline (event_id, user_id, event_type, campaign_id, occurred_at,
    received_at, metadata, body_hash)
		VALUES ($1, $2, 'click', $3, now(), now(), $4, $5)`

	return during(ctx, length, 1, func(ctx context.Context, _ int) (int, error) {
		ids, users, campaigns, metadata, hashes := b.rows(1)
		_, err := b.pool.Exec(ctx, insert, ids[0], users[0], campaigns[0], metadata[0], hashes[0])

		return 1, err
	})
}

// Batches is B2: 500 rows a commit by unnest with ON CONFLICT, on a number of connections.
func (b *Baselines) Batches(
	ctx context.Context,
	length time.Duration,
	connections int,
) (Done, error) {
	const (
		size   = 500
		insert = `INSERT INTO baseline (event_id, user_id, event_type, campaign_id, occurred_at,
    received_at, metadata, body_hash)
		SELECT id, u, 'click', c, now(), now(), metadata, hash
		FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bytea[]) AS t (id, u, c,
		    metadata, hash) ON CONFLICT (event_id) DO NOTHING RETURNING seq`
	)

	return during(ctx, length, connections, func(ctx context.Context, _ int) (int, error) {
		ids, users, campaigns, metadata, hashes := b.rows(size)

		rows, err := b.pool.Query(ctx, insert, ids, users, campaigns, metadata, hashes)
		if err != nil {
			return 0, err
		}

		rows.Close()

		return size, rows.Err()
	})
}

// Properties returns the properties of an event's message.
func Properties() map[string]string {
	return map[string]string{
		"event_id":       "0192f0e0-0000-7000-8000-000000000000",
		"seq":            "123456",
		"content-type":   "application/json",
		"ce_specversion": "1.0",
		"ce_id":          "0192f0e0-0000-7000-8000-000000000000",
		"ce_type":        "tributary.tracking.click.v1",
		"ce_source":      "tributary/tracking",
	}
}

// Publish is B4: asynchronous batched publishing by the Go client, as fast as the broker confirms,
// of one ready message.
func (b *Baselines) Publish(
	ctx context.Context,
	length time.Duration,
	properties map[string]string,
) (Done, error) {
	var confirmed, failed atomic.Int64

	begin := time.Now()
	for time.Since(begin) < length && ctx.Err() == nil {
		b.producer.SendAsync(
			ctx,
			&pulsar.ProducerMessage{
				Key:        "user-1",
				Payload:    []byte(baselineBody),
				Properties: properties,
			},
			func(_ pulsar.MessageID, _ *pulsar.ProducerMessage, err error) {
				if err != nil {
					failed.Add(1)
					return
				}

				confirmed.Add(1)
			},
		)
	}

	if err := b.producer.FlushWithCtx(ctx); err != nil {
		return Done{}, err
	}

	if n := failed.Load(); n > 0 {
		return Done{}, fmt.Errorf("%d messages failed", n)
	}

	return Done{Events: int(confirmed.Load()), Took: time.Since(begin)}, nil
}
