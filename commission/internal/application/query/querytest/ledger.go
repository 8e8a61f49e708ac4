package querytest

import (
	"fmt"
	"testing"

	"tributary/commission/internal/application/query"
)

func (w World) wantTransfers(
	t *testing.T,
	what string,
	owner query.Owner,
	filter query.LedgerFilter,
	want ...string,
) {
	t.Helper()
	wantPages(t, "ledger "+what, func(limit int, after *query.Transfer) ([]query.Transfer, error) {
		var position query.Position
		if after != nil {
			position = query.Position{At: after.At, ID: after.ID}
		}

		return w.Reader.Transfers(t.Context(), owner, filter, limit, position)
	}, func(r query.Transfer) string {
		return fmt.Sprint(r.UserID, " ", r.From, " ", r.To, " ", r.Amount)
	}, want...)
}

func transfers(t *testing.T, w World) {
	w.asked(t)
	w.fail(t, 23, minute(20))

	const (
		given    = " programme available 10.00"
		paid     = " available in_payout 1.00"
		returned = " in_payout available 1.00"
	)

	all := query.LedgerFilter{}
	w.wantTransfers(
		t, "of all", everyone(), all,
		"u"+returned, "u"+paid, "v"+paid, "u"+paid, "u"+paid, "v"+paid, "v"+given, "u"+given,
	)
	w.wantTransfers(t, "of v", only("v"), all, "v"+paid, "v"+paid, "v"+given)
	w.wantTransfers(t, "of nobody", only("nobody"), all)

	for name, c := range map[string]struct {
		filter query.LedgerFilter
		want   []string
	}{
		"of a payout":     {query.LedgerFilter{PayoutID: id(23)}, []string{"u" + returned, "u" + paid}},
		"of a commission": {query.LedgerFilter{CommissionID: id(2)}, []string{"v" + given}},
		"of an account":   {query.LedgerFilter{Account: "programme"}, []string{"v" + given, "u" + given}},
		"in EUR":          {query.LedgerFilter{Currency: "EUR"}, nil},
		"of a minute":     {query.LedgerFilter{From: minute(9), To: minute(10)}, []string{"v" + paid}},
	} {
		w.wantTransfers(t, name, everyone(), c.filter, c.want...)
	}
}
