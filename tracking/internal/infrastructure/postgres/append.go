package postgres

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"tributary/platform/postgres"
	"tributary/tracking/internal/application/ingest"
	"tributary/tracking/internal/domain/event"
)

// Appender writes the log. It has its own pool, with as many connections as there are writers, so
// that readers cannot keep writers waiting.
type Appender struct {
	pool    *pgxpool.Pool
	inserts atomic.Int32 // for so many commits COPY is not tried
}

var _ ingest.Store = (*Appender)(nil)

func NewAppender(pool *pgxpool.Pool) *Appender { return &Appender{pool: pool} }

// Empty text stands for an absent field: no optional field may be empty.
const (
	eventColumns = `occurred_at, received_at, event_id, user_id, event_type, body_hash, campaign_id,
    product_id, order_id,
                    original_event_id, amount, currency, metadata, attributes, traceparent`
	eventArrays = `$1::timestamptz[], $2::timestamptz[], $3::text[], $4::text[], $5::text[],
    $6::bytea[], $7::text[], $8::text[], $9::text[],
            $10::text[], $11::text[], $12::text[], $13::text[], $14::text[], $15::text[]`
	insertInto = `
INSERT INTO events (` + eventColumns + `)
SELECT occurred_at, received_at, event_id, user_id, event_type, body_hash, nullif(campaign_id,
    ''), nullif(product_id, ''), nullif(order_id, ''),
       nullif(original_event_id, ''), nullif(amount, ''), nullif(currency, ''), nullif(metadata,
           ''), nullif(attributes, ''), nullif(traceparent, '')
FROM unnest(`

	insertEvents = insertInto + eventArrays + `) AS row (` + eventColumns + `)
ON CONFLICT (event_id) DO NOTHING
RETURNING event_id`
)

const selectKnown = `SELECT event_id, body_hash, received_at FROM events
    WHERE event_id = ANY($1::text[])`

func (a *Appender) Append(
	ctx context.Context,
	events []event.Event,
	keyed ...ingest.Keyed,
) ([]ingest.Outcome, error) {
	rows, err := rowsOf(events)
	if err != nil {
		return nil, err
	}

	var inserted []string

	var apart map[int]bool // indexes of events of requests whose key was used before
	if len(keyed) == 0 {
		inserted, err = a.copyOrInsert(ctx, rows)
	} else {
		inserted, apart, err = a.insertKeyed(ctx, rows, keyed)
	}

	if err != nil {
		return nil, classify(err)
	}

	outcomes := make([]ingest.Outcome, len(events))
	if len(inserted) == len(events) {
		for i := range events {
			outcomes[i] = ingest.Outcome{
				State:      ingest.Stored,
				ReceivedAt: events[i].ReceivedAt(),
				Hash:       events[i].Hash(),
			}
		}

		return outcomes, nil
	}

	found, err := known(ctx, a.pool, rows.ids, inserted)
	switch {
	case err != nil && len(inserted) > 0:
		return nil, ingest.Unknown(err) // those are committed
	case err != nil:
		return nil, classify(err)
	}

	for i := range events {
		if apart[i] {
			outcomes[i].State = ingest.KeyUsed
			continue
		}

		if outcomes[i], err = outcomeOf(events[i], found); err != nil {
			return nil, ingest.Unknown(err)
		}
	}

	return outcomes, nil
}

// insert returns the ids that were new. The implicit transaction of its single statement has
// committed when it returns a nil error.
func (a *Appender) insert(ctx context.Context, r *rows) ([]string, error) {
	result, err := a.pool.Query(ctx, insertEvents, r.columns()...)
	if err != nil {
		return nil, err
	}

	return pgx.AppendRows(make([]string, 0, len(r.ids)), result, pgx.RowTo[string])
}

type stored struct {
	hash     event.Hash
	received time.Time
	fresh    bool // stored by this statement and not yet assigned to an event
}

// known reads the events with these ids from the log.
func known(
	ctx context.Context,
	pool *pgxpool.Pool,
	ids, inserted []string,
) (map[string]*stored, error) {
	result, err := pool.Query(ctx, selectKnown, ids)
	if err != nil {
		return nil, err
	}

	found := make(map[string]*stored, len(ids))

	var (
		id       string
		hash     []byte
		received time.Time
	)

	_, err = pgx.ForEachRow(result, []any{&id, &hash, &received}, func() error {
		found[id] = &stored{hash: event.Hash(hash), received: received.UTC()}
		return nil
	})
	if err != nil {
		return nil, err
	}

	for _, id := range inserted {
		if s := found[id]; s != nil {
			s.fresh = true
		}
	}

	return found, nil
}

// outcomeOf returns the outcome of an event, given what the log holds under its id. The first event
// with an inserted id is the stored one.
func outcomeOf(e event.Event, found map[string]*stored) (ingest.Outcome, error) {
	s := found[e.ID()]
	if s == nil {
		return ingest.Outcome{}, errors.New("an event is neither inserted nor found")
	}

	outcome := ingest.Outcome{ReceivedAt: s.received, Hash: s.hash}
	switch {
	case s.hash != e.Hash():
		outcome.State = ingest.Differs
	case s.fresh:
		outcome.State = ingest.Stored
		s.fresh = false
	default:
		outcome.State = ingest.Repeated
	}

	return outcome, nil
}

// classify says what an error means for the events: content that cannot be stored, nothing stored,
// or an unknown outcome. The outcome is unknown if a sent statement was not answered, or if the
// error ended the session.
func classify(err error) error {
	var (
		connect *pgconn.ConnectError
		answer  *pgconn.PgError
	)
	switch {
	case postgres.Refused(err):
		return fmt.Errorf("%w: %w", ingest.ErrRefused, err)
	case errors.As(err, &connect), pgconn.SafeToRetry(err):
		return ingest.Away(err)
	case errors.As(err, &answer) && (answer.SeverityUnlocalized == "ERROR" || answer.Code == adminShutdown):
		return ingest.Away(err)
	}

	return ingest.Unknown(err)
}

// adminShutdown ends a session before a statement commits or after it is answered, never in
// between.
const adminShutdown = "57P01"

type rows struct {
	occurred, received                 []time.Time
	ids, users, types                  []string
	hashes                             [][]byte
	campaigns, products, orders        []string
	originals, amounts, currencies     []string
	metadata, attributes, traceparents []string
}

// columns returns the arguments of the statement, in order.
func (r *rows) columns() []any {
	return []any{
		r.occurred,
		r.received,
		r.ids,
		r.users,
		r.types,
		r.hashes,
		r.campaigns,
		r.products,
		r.orders,
		r.originals,
		r.amounts,
		r.currencies,
		r.metadata,
		r.attributes,
		r.traceparents,
	}
}

func rowsOf(events []event.Event) (*rows, error) {
	n := len(events)
	text := make([]string, 12*n)
	column := func(i int) []string { return text[i*n : (i+1)*n : (i+1)*n] }

	r := &rows{
		occurred:     make([]time.Time, n),
		received:     make([]time.Time, n),
		hashes:       make([][]byte, n),
		ids:          column(0),
		users:        column(1),
		types:        column(2),
		campaigns:    column(3),
		products:     column(4),
		orders:       column(5),
		originals:    column(6),
		amounts:      column(7),
		currencies:   column(8),
		metadata:     column(9),
		attributes:   column(10),
		traceparents: column(11),
	}
	for i := range events {
		f := events[i].Snapshot()
		r.occurred[i] = f.OccurredAt
		r.received[i] = f.ReceivedAt
		r.ids[i] = f.ID
		r.users[i] = f.UserID
		r.types[i] = string(f.Type)
		r.hashes[i] = f.Hash[:]
		r.campaigns[i] = f.CampaignID
		r.products[i] = f.ProductID
		r.orders[i] = f.OrderID
		r.originals[i] = f.OriginalEventID
		r.amounts[i] = f.Amount
		r.currencies[i] = f.Currency
		r.metadata[i] = f.Metadata
		r.traceparents[i] = f.Traceparent

		var err error
		if r.attributes[i], err = attributesOf(&f); err != nil {
			return nil, fmt.Errorf("attributes: %w", err)
		}
	}

	return r, nil
}
