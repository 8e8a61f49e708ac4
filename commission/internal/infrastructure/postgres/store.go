// Package postgres keeps decisions, commissions, the ledger, rules and payouts in PostgreSQL.
// Infrastructure layer.
package postgres

import (
	"context"
	"errors"
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

// errRace says that another writer decided the same event in between: everything is read again.
var errRace = errors.New("another writer was quicker")

const maxRaces = 10

// lockUsers makes writers of the same users take turns, in an order that all share. A lock lives as
// long as its transaction.
const lockUsers = `SELECT pg_advisory_xact_lock(k) FROM (SELECT DISTINCT hashtextextended(u,
    7301) AS k FROM unnest($1::text[]) AS u ORDER BY k) AS keys`

// begin runs fn in a transaction. Errors become faults, or stay errRace.
func (s *Store) begin(ctx context.Context, doing string, fn func(pgx.Tx) error) error {
	err := pgx.BeginFunc(ctx, s.pool, fn)
	if err == nil || errors.Is(err, errRace) {
		return err
	}

	return mapped(doing, err)
}

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
