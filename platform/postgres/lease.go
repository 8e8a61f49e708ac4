package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Lease is a row that names the holder of a task, when its lease ends by the database's clock, and
// the position that it has reached. The table has the columns id (boolean, true in its only row),
// holder, expires_at, and one or more for the position. The holder has the lease while it renews
// it. Anyone may take an expired lease.
type Lease struct {
	pool                  *pgxpool.Pool
	take, advance, resign string
}

// NewLease returns the lease in the table. The columns of the position are compared in their order.
func NewLease(pool *pgxpool.Pool, table string, columns ...string) *Lease {
	const firstValue = 3 // after holder and duration

	values := make([]string, len(columns))
	for i := range columns {
		values[i] = fmt.Sprint("$", firstValue+i)
	}

	position := strings.Join(columns, ", ")
	forward := fmt.Sprintf("(%s) < (%s)", position, strings.Join(values, ", "))

	moves := make([]string, len(columns))
	for i, column := range columns {
		moves[i] = fmt.Sprintf("%s = CASE WHEN %s THEN %s ELSE %s END", column, forward, values[i], column)
	}

	return &Lease{
		pool: pool,
		take: fmt.Sprintf(`
UPDATE %s SET holder = $1, expires_at = clock_timestamp() + $2::interval
WHERE id AND (holder = $1 OR expires_at < clock_timestamp()) RETURNING %s`, table, position),
		advance: fmt.Sprintf(`
UPDATE %s SET %s, expires_at = clock_timestamp() + $2::interval
WHERE id AND holder = $1`, table, strings.Join(moves, ", ")),
		resign: fmt.Sprintf(`
UPDATE %s SET expires_at = '-infinity' WHERE id AND holder = $1`, table),
	}
}

// Take takes or renews the lease for the holder, for the duration from now, and scans the position.
// The bool is false if another holder has the lease.
func (l *Lease) Take(
	ctx context.Context,
	holder string,
	duration time.Duration,
	position ...any,
) (leads bool, err error) {
	err = l.pool.QueryRow(ctx, l.take, holder, duration).Scan(position...)
	if errors.Is(err, pgx.ErrNoRows) {
		return false, nil
	}

	return err == nil, Fault("take the lease", err)
}

// Advance saves the position, which never decreases, and renews the lease in one atomic statement.
// The bool is false, and nothing is saved, if another holder has the lease.
func (l *Lease) Advance(
	ctx context.Context,
	holder string,
	duration time.Duration,
	position ...any,
) (leads bool, err error) {
	tag, err := l.pool.Exec(ctx, l.advance, append([]any{holder, duration}, position...)...)
	return tag.RowsAffected() == 1, Fault("save the position", err)
}

// Resign releases the lease if the holder has it.
func (l *Lease) Resign(ctx context.Context, holder string) error {
	_, err := l.pool.Exec(ctx, l.resign, holder)
	return Fault("resign", err)
}
