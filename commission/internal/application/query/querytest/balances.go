package querytest

import (
	"fmt"
	"testing"

	"tributary/commission/internal/application/query"
	"tributary/commission/internal/domain/ledger"
)

func (w World) wantBalances(
	t *testing.T,
	what string,
	owner query.Owner,
	filter query.BalanceFilter,
	want ...string,
) {
	t.Helper()
	wantPages(t, "balances "+what, func(limit int, after *ledger.Balance) ([]ledger.Balance, error) {
		var position query.BalancePosition
		if after != nil {
			position = query.BalancePosition{UserID: after.UserID, Currency: after.Currency.String()}
		}

		return w.Balance.ListBalances(t.Context(), owner, filter, limit, position)
	}, textOf, want...)
}

func textOf(b ledger.Balance) string {
	return fmt.Sprint(
		b.UserID, " ", b.Currency, " ", b.Pending.Minor(), " ", b.Available.Minor(), " ",
		b.InPayout.Minor(), " ", b.Paid.Minor(),
	)
}

func balanced(t *testing.T, w World) {
	w.asked(t)
	w.fund(t, 3, "w")
	w.fund(t, 4, "z")
	w.adjust(t, 5, "z", "-10.00")
	w.fail(t, 23, minute(20))
	w.Earn(t, "x", "e1")

	const (
		u = "u USD 0 800 200 0"
		v = "v USD 0 800 200 0"
		y = "w USD 0 1000 0 0"
		x = "x USD 1000 0 0 0"
		z = "z USD 0 0 0 0"
	)

	all := query.BalanceFilter{}
	w.wantBalances(t, "of all", everyone(), all, u, v, y, x, z)
	w.wantBalances(t, "of v", only("v"), all, v)
	w.wantBalances(t, "of nobody", only("nobody"), all)
	w.wantBalances(t, "in EUR", everyone(), query.BalanceFilter{Currency: "EUR"})
	w.wantBalances(t, "with money", everyone(), query.BalanceFilter{NonZero: true}, u, v, y, x)

	w.wantBalances(
		t, "as of a moment", everyone(), query.BalanceFilter{AsOf: minute(10)},
		"u USD 0 800 200 0", "v USD 0 800 200 0", y, x, z,
	)
	w.wantBalances(
		t, "as of before, with money", everyone(),
		query.BalanceFilter{AsOf: noon(), NonZero: true},
	)
	w.wantBalances(
		t, "of v, as of before", only("v"), query.BalanceFilter{AsOf: noon()}, "v USD 0 0 0 0",
	)

	found, err := w.Balance.Balances(t.Context(), only("v"))
	if err != nil || len(found) != 1 || textOf(found[0]) != v {
		t.Errorf("%+v, %v", found, err)
	}
}
