// Package postgres keeps decisions, commissions, the ledger, rules and payouts in PostgreSQL.
// Infrastructure layer.
package postgres

import (
	"context"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"tributary/commission/internal/application/consume"
	"tributary/commission/internal/application/query"
	"tributary/commission/internal/domain/rule"
	"tributary/platform/fault"
	platform "tributary/platform/postgres"
)

// Store is the commission database. It is safe for concurrent use.
type Store struct {
	pool *pgxpool.Pool

	mu    sync.Mutex
	rules *rule.Set // the newest that was read; read again when the revision has moved on
}

// New makes a store over the pool of the service's role.
func New(pool *pgxpool.Pool) *Store { return &Store{pool: pool} }

// mapped turns what the database refuses for good into NotStorable: malformed data, broken
// constraints, limits of the programme. What may pass by itself, or after a repair of the database,
// stays to be tried again.
func mapped(doing string, err error) error {
	if err == nil {
		return nil
	}

	if _, ok := fault.As(err); ok {
		return err
	}

	if platform.Refused(err) {
		return fault.Because(
			err,
			fault.Invalid,
			consume.NotStorable,
			"The database refuses the content.",
		)
	}

	return platform.Fault(doing, err)
}

// tooWide knows a statement that was broken off because it took too long: trying it again would
// take as long.
func tooWide(err error) error {
	if platform.Code(err) == "57014" {
		return fault.Because(
			err,
			fault.Invalid,
			query.TooWide,
			"The search took longer than is allowed and was given up; narrow the filter, by "+
				"user_id or by occurred_from and occurred_to for instance.",
		)
	}

	return err
}

// querier is a pool or a transaction.
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

// orNil makes NULL of a zero time.
func orNil(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}

	return &t
}

// value is the empty value for NULL.
func value[T any](p *T) T {
	var zero T
	if p == nil {
		return zero
	}

	return *p
}

// utc is a stored time, or zero for NULL.
func utc(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}

	return t.UTC()
}
