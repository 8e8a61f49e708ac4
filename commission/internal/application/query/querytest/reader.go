// Package querytest has the read ports of commissions, payouts, batches, decisions, balances, the
// ledger and the audit over the repositories in memory, and the contract suite that they and those
// of PostgreSQL pass.
package querytest

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"time"

	"tributary/commission/internal/application/command/commandtest"
	"tributary/commission/internal/application/query"
	"tributary/commission/internal/domain/batch"
	"tributary/commission/internal/domain/commission"
	"tributary/commission/internal/domain/decision"
	"tributary/commission/internal/domain/event"
	"tributary/commission/internal/domain/ledger"
	"tributary/commission/internal/domain/payout"
	"tributary/platform/money"
)

// Reader reads what a commandtest.Store has. It knows the filters that the suite asks for.
type Reader struct{ store *commandtest.Store }

// New returns a reader of the store.
func New(store *commandtest.Store) Reader { return Reader{store: store} }

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

// Commission implements query.CommissionReader.
func (r Reader) Commission(
	_ context.Context,
	owner query.Owner,
	id string,
) (commission.Snapshot, error) {
	return first(r.store.Content().Commissions, commission.ErrNotFound, func(c commission.Snapshot) bool {
		return c.ID == id && owner.Sees(c.UserID)
	})
}

// List implements query.CommissionReader.
func (r Reader) List(
	_ context.Context,
	owner query.Owner,
	f query.CommissionFilter,
	slice query.Slice,
) ([]commission.Snapshot, error) {
	l := list[commission.Snapshot]{
		rows:     r.store.Content().Commissions,
		position: func(c commission.Snapshot) query.Position { return query.Position{ID: c.ID} },
		compare:  newest,
		selects: func(c commission.Snapshot) bool {
			return owner.Sees(c.UserID) &&
				equal(f.CampaignID, c.CampaignID) &&
				equal(f.ProductID, c.ProductID) &&
				equal(f.OrderID, c.OrderID) &&
				equal(f.EventType, string(c.EventType)) &&
				equal(f.Status, string(c.Status)) &&
				equal(f.Kind, string(c.Kind)) &&
				equal(f.Currency, c.Amount.Currency().String()) &&
				between(c.OccurredAt, f.OccurredFrom, f.OccurredTo) &&
				between(c.CreatedAt, f.CreatedFrom, f.CreatedTo) &&
				between(c.UpdatedAt, f.Updated.From, f.Updated.To)
		},
	}

	after := query.Position{ID: slice.After}

	if f.Updated.Asked() {
		after.At = slice.UpdatedAt
		l.compare = oldest
		l.position = func(c commission.Snapshot) query.Position {
			return query.Position{At: c.UpdatedAt, ID: c.ID}
		}
	}

	return l.page(slice.Limit, after), nil
}

// Decision implements query.DecisionReader.
func (r Reader) Decision(
	_ context.Context,
	owner query.Owner,
	eventID string,
) (query.Decided, error) {
	for _, c := range r.store.Content().Commissions {
		if eventID != "" && c.EventID == eventID && owner.Sees(c.UserID) {
			return query.Decided{
				Decision: decision.Decision{
					Event: event.Restore(event.Snapshot{
						ID:     c.EventID,
						UserID: c.UserID,
						Type:   c.EventType,
					}),
					Outcome: decision.Commissioned,
					Amount:  c.Amount,
				},
				CommissionID: c.ID,
			}, nil
		}
	}

	return query.Decided{}, decision.ErrNotFound
}

// Payout implements query.PayoutReader.
func (r Reader) Payout(
	_ context.Context,
	owner query.Owner,
	id string,
) (payout.Snapshot, error) {
	return first(r.store.Content().Payouts, payout.ErrNotFound, func(p payout.Snapshot) bool {
		return p.ID == id && owner.Sees(p.UserID)
	})
}

// Payouts implements query.PayoutReader.
func (r Reader) Payouts(
	_ context.Context,
	owner query.Owner,
	f query.PayoutFilter,
	limit int,
	after query.Position,
) ([]payout.Snapshot, error) {
	l := list[payout.Snapshot]{
		rows:     r.store.Content().Payouts,
		position: f.Position,
		compare:  newest,
		selects: func(p payout.Snapshot) bool {
			return owner.Sees(p.UserID) &&
				equal(f.Status, string(p.Status)) &&
				equal(f.BatchID, p.BatchID) &&
				between(p.CreatedAt, f.CreatedFrom, f.CreatedTo) &&
				between(p.UpdatedAt, f.Updated.From, f.Updated.To)
		},
	}
	if f.Updated.Asked() {
		l.compare = oldest
	}

	found := l.page(limit, after)
	for i := range found {
		found[i].Details = ""
	}

	return found, nil
}

// Batch implements query.BatchReader.
func (r Reader) Batch(_ context.Context, id string) (batch.Snapshot, error) {
	return first(r.store.Content().Batches, batch.ErrNotFound, func(b batch.Snapshot) bool {
		return b.ID == id
	})
}

// Batches implements query.BatchReader.
func (r Reader) Batches(
	_ context.Context,
	f query.BatchFilter,
	limit int,
	after query.Position,
) ([]batch.Snapshot, error) {
	return list[batch.Snapshot]{
		rows:     r.store.Content().Batches,
		position: func(b batch.Snapshot) query.Position { return query.Position{At: b.MadeAt, ID: b.ID} },
		compare:  newest,
		selects: func(b batch.Snapshot) bool {
			return equal(f.Status, string(b.Status)) && between(b.MadeAt, f.CreatedFrom, f.CreatedTo)
		},
	}.page(limit, after), nil
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

// Balances implements query.BalanceReader.
func (r Reader) Balances(ctx context.Context, owner query.Owner) ([]ledger.Balance, error) {
	return r.ListBalances(ctx, owner, query.BalanceFilter{}, 1000, query.BalancePosition{})
}

// ListBalances implements query.BalanceReader.
func (r Reader) ListBalances(
	_ context.Context,
	owner query.Owner,
	f query.BalanceFilter,
	limit int,
	after query.BalancePosition,
) ([]ledger.Balance, error) {
	var rows []ledger.Balance

	for _, b := range balances(r.store.Content().Transfers) {
		position := query.BalancePosition{UserID: b.UserID, Currency: b.Currency.String()}
		empty := b.Pending.Sign() == 0 && b.Available.Sign() == 0 && b.InPayout.Sign() == 0

		if owner.Sees(b.UserID) && equal(f.Currency, b.Currency.String()) &&
			(!f.NonZero || !empty) && ordered(after, position) < 0 {
			rows = append(rows, b)
		}
	}

	return rows[:min(limit, len(rows))], nil
}

func ordered(a, b query.BalancePosition) int {
	return cmp.Or(cmp.Compare(a.UserID, b.UserID), cmp.Compare(a.Currency, b.Currency))
}

// balances returns the sums of transfers by user and currency.
func balances(transfers []query.Transfer) []ledger.Balance {
	var sums []ledger.Balance

	for _, t := range transfers {
		currency := t.Amount.Currency()

		i := slices.IndexFunc(sums, func(b ledger.Balance) bool {
			return b.UserID == t.UserID && b.Currency == currency
		})
		if i < 0 {
			i = len(sums)
			zero := money.TotalOf(0, currency)
			sums = append(sums, ledger.Balance{
				UserID:    t.UserID,
				Currency:  currency,
				Pending:   zero,
				Available: zero,
				InPayout:  zero,
				Paid:      zero,
			})
		}

		if account := accountOf(&sums[i], t.From); account != nil {
			*account = account.Sub(t.Amount.Total())
		}

		if account := accountOf(&sums[i], t.To); account != nil {
			*account = account.Add(t.Amount.Total())
		}
	}

	slices.SortFunc(sums, func(a, b ledger.Balance) int {
		return ordered(
			query.BalancePosition{UserID: a.UserID, Currency: a.Currency.String()},
			query.BalancePosition{UserID: b.UserID, Currency: b.Currency.String()},
		)
	})

	return sums
}

// accountOf returns the account of the balance, and nil for the programme's.
func accountOf(b *ledger.Balance, account ledger.Account) *money.Total {
	return map[ledger.Account]*money.Total{
		ledger.Pending:   &b.Pending,
		ledger.Available: &b.Available,
		ledger.InPayout:  &b.InPayout,
		ledger.Paid:      &b.Paid,
	}[account]
}
