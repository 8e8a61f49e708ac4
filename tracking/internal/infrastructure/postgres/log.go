package postgres

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"tributary/platform/postgres"
	"tributary/platform/relay"
	"tributary/tracking/internal/application/query"
	"tributary/tracking/internal/domain/event"
)

// Log reads the log and keeps the relay's row.
type Log struct {
	pool    *pgxpool.Pool
	lease   *postgres.Lease
	rowSize atomic.Int64 // bytes of an average row of the last page
}

var (
	_ query.Log                     = (*Log)(nil)
	_ relay.Log[int64, event.Entry] = (*Log)(nil)
)

func NewLog(pool *pgxpool.Pool) *Log {
	return &Log{pool: pool, lease: postgres.NewLease(pool, "relay", "pos")}
}

const selectEvent = `SELECT ` + columns + ` FROM events WHERE event_id = $1`

func (l *Log) Event(ctx context.Context, id string) (event.Entry, bool, error) {
	entry, err := newScanner().scan(l.pool.QueryRow(ctx, selectEvent, id))
	if errors.Is(err, pgx.ErrNoRows) {
		return event.Entry{}, false, nil
	}

	return entry, err == nil, postgres.Fault("read an event", err)
}

const (
	selectPage = `SELECT ` + columns + ` FROM events WHERE seq > $1 ORDER BY seq LIMIT $2`
	pageBytes  = 8 << 20
	pageFloor  = 4
)

// Read implements relay.Log. A page holds at most about 8 MiB; after a page of large events fewer
// are read.
func (l *Log) Read(ctx context.Context, after int64, limit int) ([]event.Entry, error) {
	if size := int(l.rowSize.Load()); size > 0 {
		limit = min(limit, max(pageFloor, pageBytes/size))
	}

	result, err := l.pool.Query(ctx, selectPage, after, limit)
	if err != nil {
		return nil, postgres.Fault("read the log", err)
	}
	defer result.Close()
	scan := newScanner()
	page := make([]event.Entry, 0, limit)

	bytes := 0
	for bytes < pageBytes && result.Next() {
		entry, err := scan.scan(result)
		if err != nil {
			return nil, postgres.Fault("read the log", err)
		}

		page = append(page, entry)
		bytes += entry.Event.Size()
	}

	result.Close()

	if len(page) > 0 {
		l.rowSize.Store(int64(bytes / len(page)))
	}

	return page, postgres.Fault("read the log", result.Err())
}

func (l *Log) Lead(
	ctx context.Context,
	holder string,
	lease time.Duration,
) (position int64, leads bool, err error) {
	leads, err = l.lease.Take(ctx, holder, lease, &position)
	return position, leads, err
}

func (l *Log) Advance(
	ctx context.Context,
	holder string,
	position int64,
	lease time.Duration,
) (leads bool, err error) {
	return l.lease.Advance(ctx, holder, lease, position)
}

func (l *Log) Resign(ctx context.Context, holder string) error { return l.lease.Resign(ctx, holder) }
