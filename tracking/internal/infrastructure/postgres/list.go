package postgres

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"tributary/platform/postgres"
	"tributary/tracking/internal/application/query"
	"tributary/tracking/internal/domain/event"
)

// Lists come in the order of seq, which says nothing of occurred_at; read by its primary key alone,
// a log of millions of rows would be searched from its beginning for what occurred last week. But
// events are received in the order of seq, and most of them right after they occurred:
//   - nothing that occurred since From was received earlier than MaxAhead and disorder before it,
//     so the log is read from there on;
//   - nearly all of what occurred before To was received until then: that part is read in order,
//     and stops at a full page;
//   - what was received later is little, and found by the BRIN index.
//
// The events of one user are few, and read in order to their end.
//
// disorder is how far received_at may deviate from the order of seq, by waiting for a commit and by
// the clocks of replicas.
const disorder = time.Minute

const selectReceivedSince = `SELECT events_received_since($1)`

func (l *Log) Events(
	ctx context.Context,
	f query.Filter,
	position int64,
	limit int,
) ([]event.Entry, bool, error) {
	if !f.From.IsZero() {
		first, err := l.receivedSince(ctx, f.From.Add(-event.MaxAhead-disorder))
		if err != nil {
			return nil, false, err
		}

		position = max(position, first)
	}

	p := &page{limit: limit}
	if f.To.IsZero() || f.UserID != "" {
		err := l.list(ctx, newListing(f, position).inOrder(p.wants()), p)
		return p.entries, p.more, err
	}

	last, err := l.receivedSince(ctx, f.To.Add(disorder))
	if err == nil && position < last {
		err = l.list(ctx, newListing(f, position).and(`seq <=`, last).inOrder(p.wants()), p)
	}

	if err == nil && !p.more {
		err = l.list(ctx, newListing(f, max(position, last)).sorted(p.wants()), p)
	}

	return p.entries, p.more, err
}

// listBytes is the approximate largest size of a page, whatever its limit. Pages of usual events
// are smaller.
const listBytes = 4 << 20

type page struct {
	limit   int
	entries []event.Entry
	bytes   int
	more    bool // more rows match than the page has room for
}

// wants returns how many events to read: one more than there is room for shows whether more follow.
func (p *page) wants() int { return p.limit - len(p.entries) + 1 }

func (p *page) full() bool { return len(p.entries) == p.limit || p.bytes >= listBytes }

// receivedSince returns the position after which everything lies that was received since then.
func (l *Log) receivedSince(ctx context.Context, since time.Time) (position int64, err error) {
	err = l.pool.QueryRow(ctx, selectReceivedSince, since).Scan(&position)
	return position, postgres.Fault("search the log", err)
}

// list runs a listing and adds its rows to the page. The statement is planned for the given values:
// a generic plan would not know how much of the log they exclude.
func (l *Log) list(ctx context.Context, q *listing, p *page) error {
	result, err := l.pool.Query(
		ctx,
		q.text.String(),
		append([]any{pgx.QueryExecModeCacheDescribe}, q.args...)...)
	if err != nil {
		return postgres.Fault("list events", err)
	}
	defer result.Close()

	scan := newScanner()
	for result.Next() {
		if p.more = p.full(); p.more {
			break
		}

		entry, err := scan.scan(result)
		if err != nil {
			return postgres.Fault("list events", err)
		}

		p.entries = append(p.entries, entry)
		p.bytes += entry.Event.Size()
	}

	result.Close()

	return postgres.Fault("list events", result.Err())
}

// listing is a statement under construction.
type listing struct {
	text strings.Builder
	args []any
}

func newListing(f query.Filter, position int64) *listing {
	q := &listing{}
	q.text.WriteString(`SELECT ` + columns + ` FROM events WHERE true`)
	q.and(`seq >`, position)

	if f.UserID != "" {
		q.and(`user_id =`, f.UserID)
	}

	if f.CampaignID != "" {
		q.and(`campaign_id =`, f.CampaignID)
	}

	if f.Type != "" {
		q.and(`event_type =`, string(f.Type))
	}

	if !f.From.IsZero() {
		q.and(`occurred_at >=`, f.From)
	}

	if !f.To.IsZero() {
		q.and(`occurred_at <`, f.To)
	}

	return q
}

func (q *listing) and(condition string, value any) *listing {
	return q.add(` AND `+condition, value)
}

// inOrder reads by an index that ends in seq, until the page is full.
func (q *listing) inOrder(limit int) *listing { return q.add(` ORDER BY seq LIMIT`, limit) }

// sorted reads all matching rows and sorts them: no index has this order.
func (q *listing) sorted(limit int) *listing { return q.add(` ORDER BY seq + 0 LIMIT`, limit) }

func (q *listing) add(text string, value any) *listing {
	q.args = append(q.args, value)
	q.text.WriteString(text + ` $` + strconv.Itoa(len(q.args)))

	return q
}
