package querytest

import (
	"testing"

	"tributary/commission/internal/application/query"
	"tributary/commission/internal/domain/payout"
)

// wantPayouts checks a list of payouts, which does not have the account details.
func (w World) wantPayouts(
	t *testing.T,
	what string,
	owner query.Owner,
	filter query.PayoutFilter,
	want ...int,
) {
	t.Helper()
	wantPages(t, "payouts "+what, func(limit int, after *payout.Snapshot) ([]payout.Snapshot, error) {
		var position query.Position
		if after != nil {
			position = filter.Position(*after)
		}

		return w.Payout.Payouts(t.Context(), owner, filter, limit, position)
	}, func(p payout.Snapshot) string { return p.ID + p.Details }, ids(want)...)
}

func payouts(t *testing.T, w World) {
	w.asked(t)
	w.fail(t, 23, minute(20))

	all := query.PayoutFilter{}
	w.wantPayouts(t, "of all", everyone(), all, 21, 22, 23, 25, 24)
	w.wantPayouts(t, "of u", only("u"), all, 21, 23, 25)
	w.wantPayouts(t, "of v", only("v"), all, 22, 24)
	w.wantPayouts(t, "of nobody", only("nobody"), all)
	w.wantPayouts(t, "that failed", everyone(), query.PayoutFilter{Status: "failed"}, 23)
	w.wantPayouts(t, "of a batch", everyone(), query.PayoutFilter{BatchID: id(99)})
	w.wantPayouts(
		t,
		"of two minutes",
		everyone(),
		query.PayoutFilter{CreatedFrom: minute(8), CreatedTo: minute(10)},
		22,
		23,
	)

	found, err := w.Payout.Payout(t.Context(), only("u"), id(21))
	if err != nil || found.UserID != "u" || found.Details == "" ||
		!found.CreatedAt.Equal(minute(10)) || found.Amount.Minor() != 100 {
		t.Errorf("%+v, %v", found, err)
	}
}

func changedPayouts(t *testing.T, w World) {
	w.asked(t)
	w.fail(t, 24, minute(20))

	changed := query.PayoutFilter{Updated: query.Updated{From: noon()}}
	w.wantPayouts(t, "by change", everyone(), changed, 25, 23, 22, 21, 24)

	changed.Updated = query.Updated{From: minute(9), To: minute(20)}
	w.wantPayouts(t, "of u, by change", only("u"), changed, 21)
}
