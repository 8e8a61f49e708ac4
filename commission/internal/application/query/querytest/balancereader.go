package querytest

import (
	"cmp"
	"context"
	"slices"
	"time"

	"tributary/commission/internal/application/query"
	"tributary/commission/internal/domain/ledger"
	"tributary/platform/money"
)

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

	for _, b := range balances(r.store.Content().Transfers, f.AsOf) {
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

// balances returns a balance for each user and currency that has transfers: the sums of those
// before the time, or of all if it is zero.
func balances(transfers []query.Transfer, asOf time.Time) []ledger.Balance {
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

		if !between(t.At, time.Time{}, asOf) {
			continue
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
