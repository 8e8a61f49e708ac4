// Package querytest has the read ports over the repositories in memory, and the contract suite that
// they and those of PostgreSQL pass.
package querytest

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"time"

	"tributary/commission/internal/application/command/commandtest"
	"tributary/commission/internal/application/query"
	"tributary/commission/internal/domain/replay"
)

// Reader reads what a commandtest.Store has. It knows the filters that the suite asks for.
type Reader struct {
	store   *commandtest.Store
	replays map[string]replay.Snapshot
}

// New returns a reader of the store.
func New(store *commandtest.Store) Reader {
	return Reader{store: store, replays: map[string]replay.Snapshot{}}
}

// Replayed adds a replay. It must not be called while the reader is used.
func (r Reader) Replayed(made replay.Snapshot) { r.replays[made.ID] = made }

// list is how the rows of a list are ordered and selected.
type list[T any] struct {
	rows     []T
	position func(T) query.Position
	compare  func(a, b query.Position) int
	selects  func(T) bool
}

// page returns at most limit selected rows that follow the position.
func (l list[T]) page(limit int, after query.Position) []T {
	rows := slices.DeleteFunc(l.rows, func(row T) bool {
		return !l.selects(row) ||
			after != (query.Position{}) && l.compare(l.position(row), after) <= 0
	})
	slices.SortFunc(rows, func(a, b T) int { return l.compare(l.position(a), l.position(b)) })

	return rows[:min(limit, len(rows))]
}

func oldest(a, b query.Position) int {
	return cmp.Or(a.At.Compare(b.At), cmp.Compare(len(a.ID), len(b.ID)), cmp.Compare(a.ID, b.ID))
}

func newest(a, b query.Position) int { return oldest(b, a) }

// equal reports whether the value is the one that is wanted, if one is.
func equal(wanted, value string) bool { return wanted == "" || wanted == value }

// between reports whether the time is in the range, of which zero bounds are open.
func between(at, from, to time.Time) bool {
	return !at.Before(from) && (to.IsZero() || at.Before(to))
}

// first returns the first row that is selected, or notFound.
func first[T any](rows []T, notFound error, selects func(T) bool) (T, error) {
	if i := slices.IndexFunc(rows, selects); i >= 0 {
		return rows[i], nil
	}

	var none T

	return none, notFound
}

// Audit implements query.AuditReader.
func (r Reader) Audit(
	_ context.Context,
	f query.AuditFilter,
	limit int,
	after query.Position,
) ([]query.AuditRow, error) {
	l := list[query.AuditRow]{
		position: func(a query.AuditRow) query.Position { return query.Position{At: a.At, ID: a.ID} },
		compare:  newest,
		selects: func(a query.AuditRow) bool {
			return equal(f.Actor, a.Actor) && equal(f.Action, a.Action) &&
				equal(f.SubjectType, a.SubjectType) && equal(f.SubjectID, a.SubjectID) &&
				between(a.At, f.From, f.To)
		},
	}
	for i, record := range r.store.Content().Records {
		l.rows = append(l.rows, query.AuditRow{ID: strconv.Itoa(i + 1), Record: record})
	}

	return l.page(limit, after), nil
}

// Transfers implements query.LedgerReader.
func (r Reader) Transfers(
	_ context.Context,
	owner query.Owner,
	f query.LedgerFilter,
	limit int,
	after query.Position,
) ([]query.Transfer, error) {
	return list[query.Transfer]{
		rows:     r.store.Content().Transfers,
		position: func(t query.Transfer) query.Position { return query.Position{At: t.At, ID: t.ID} },
		compare:  newest,
		selects: func(t query.Transfer) bool {
			return owner.Sees(t.UserID) &&
				equal(f.Currency, t.Amount.Currency().String()) &&
				(equal(f.Account, string(t.From)) || equal(f.Account, string(t.To))) &&
				equal(f.CommissionID, t.CommissionID) &&
				equal(f.PayoutID, t.PayoutID) &&
				between(t.At, f.From, f.To)
		},
	}.page(limit, after), nil
}
