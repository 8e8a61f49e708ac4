// Package postgres (infrastructure) stores decisions, commissions, the ledger, rules and payouts in
// PostgreSQL.
package postgres

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"tributary/commission/internal/application/command"
	"tributary/commission/internal/application/query"
	"tributary/commission/internal/domain/rule"
	"tributary/platform/fault"
	platform "tributary/platform/postgres"
)

// Store is the commission database. It is safe for concurrent use.
type Store struct {
	pool   *pgxpool.Pool
	recent *recent
	ends   *recentEnds

	mu    sync.Mutex
	rules *rule.Set // the newest that were read; read again after a change of the revision
}

// New returns a store over the pool of the service's role.
func New(pool *pgxpool.Pool) *Store {
	return &Store{pool: pool, recent: newRecent(), ends: newRecentEnds()}
}

// mapped turns a permanent refusal of the database into command.ErrNotStorable: malformed data,
// violated constraints, program limits. An error that may be temporary, or end with a repair of
// the database, is left for a retry.
func mapped(doing string, err error) error {
	if err == nil {
		return nil
	}

	if _, ok := fault.As(err); ok {
		return err
	}

	if platform.Refused(err) {
		return command.ErrNotStorable.Because(err, "The database refuses the content.")
	}

	return platform.Fault(doing, err)
}

// tooWide reports whether a statement was aborted because it took too long: a retry would take as
// long.
func tooWide(err error) error {
	if platform.Code(err) == "57014" {
		return query.ErrTooWide.Because(
			err,
			"The search took too long and was aborted. Narrow the filter, for example by "+
				"user_id or by occurred_from and occurred_to.",
		)
	}

	return err
}

type querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}

// collect reads all rows of a statement.
func collect[T any](
	ctx context.Context,
	from querier,
	scan pgx.RowToFunc[T],
	sql string,
	args ...any,
) ([]T, error) {
	rows, err := from.Query(ctx, sql, args...)
	if err != nil {
		return nil, err
	}

	return pgx.CollectRows(rows, scan)
}

// readOne reads the row of the statement, of which the first argument is the id, a UUID. It returns
// notFound if there is none, and for a text that is no UUID.
func readOne[T any](
	ctx context.Context,
	from querier,
	scan pgx.RowToFunc[T],
	notFound error,
	sql string,
	id string,
	args ...any,
) (T, error) {
	var none T
	if _, err := uuid.Parse(id); err != nil {
		return none, notFound
	}

	rows, err := from.Query(ctx, sql, append([]any{id}, args...)...)
	if err != nil {
		return none, err
	}

	found, err := pgx.CollectExactlyOneRow(rows, scan)
	if errors.Is(err, pgx.ErrNoRows) {
		return none, notFound
	}

	return found, err
}

// orNil returns nil, which becomes NULL, for the zero time.
func orNil(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}

	return &t
}

// value returns the zero value for NULL.
func value[T any](p *T) T {
	var zero T
	if p == nil {
		return zero
	}

	return *p
}

// utc returns a stored time in UTC, or the zero time for NULL.
func utc(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}

	return t.UTC()
}
