package postgres

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"tributary/platform/postgres"
	"tributary/tracking/internal/application/query"
	"tributary/tracking/internal/application/relay"
	"tributary/tracking/internal/domain/event"
)

// Log reads the log and keeps the relay's row.
type Log struct {
	pool    *pgxpool.Pool
	rowSize atomic.Int64 // bytes of an average row of the last page
}

var (
	_ query.Log = (*Log)(nil)
	_ relay.Log = (*Log)(nil)
)

func NewLog(pool *pgxpool.Pool) *Log { return &Log{pool: pool} }

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

// Page implements relay.Log. A page holds at most about 8 MiB; after a page of large events fewer
// are read.
func (l *Log) Page(ctx context.Context, position int64, limit int) ([]event.Entry, error) {
	if size := int(l.rowSize.Load()); size > 0 {
		limit = min(limit, max(pageFloor, pageBytes/size))
	}

	result, err := l.pool.Query(ctx, selectPage, position, limit)
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

// The holder has the lease while it renews it. Anyone may take an expired lease.
const (
	takeLease = `
UPDATE relay SET holder = $1, expires_at = clock_timestamp() + $2::interval
WHERE id AND (holder = $1 OR expires_at < clock_timestamp()) RETURNING pos`
	advance = `
UPDATE relay SET pos = greatest(pos, $2), expires_at = clock_timestamp() + $3::interval
WHERE id AND holder = $1`
	resign = `UPDATE relay SET expires_at = '-infinity' WHERE id AND holder = $1`
)

func (l *Log) Lead(
	ctx context.Context,
	holder string,
	lease time.Duration,
) (position int64, leads bool, err error) {
	err = l.pool.QueryRow(ctx, takeLease, holder, lease).Scan(&position)
	if errors.Is(err, pgx.ErrNoRows) {
		return 0, false, nil
	}

	return position, err == nil, postgres.Fault("take the lease", err)
}

func (l *Log) Advance(
	ctx context.Context,
	holder string,
	position int64,
	lease time.Duration,
) (leads bool, err error) {
	tag, err := l.pool.Exec(ctx, advance, holder, position, lease)
	return tag.RowsAffected() == 1, postgres.Fault("save the position", err)
}

func (l *Log) Resign(ctx context.Context, holder string) error {
	_, err := l.pool.Exec(ctx, resign, holder)
	return postgres.Fault("resign", err)
}
