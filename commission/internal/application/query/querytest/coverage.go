package querytest

import (
	"maps"
	"slices"
	"testing"

	"tributary/commission/internal/application/command"
	"tributary/commission/internal/application/query"
	"tributary/commission/internal/domain/payout"
)

// wantUncovered checks which of the payouts 21 to 25 lack cover.
func (w World) wantUncovered(t *testing.T, what string, owner query.Owner, want ...int) {
	t.Helper()

	found, err := w.Coverage.Uncovered(t.Context(), owner, ids([]int{21, 22, 23, 24, 25}))
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}

	if got := slices.Sorted(maps.Keys(found)); !slices.Equal(got, ids(want)) {
		t.Errorf("uncovered %s: %q, want %q", what, got, ids(want))
	}
}

func coverage(t *testing.T, w World) {
	w.fund(t, 1, "u")
	w.fund(t, 2, "v")
	w.ask(t, id(23), "u", 500, minute(1)) // the oldest
	w.ask(t, id(21), "u", 300, minute(2)) // two at a time
	w.ask(t, id(22), "u", 200, minute(2))
	w.ask(t, id(24), "v", 1000, minute(3))
	w.ask(t, id(26), "v", 1, minute(4))
	w.wantUncovered(t, "at first", everyone())

	w.adjust(t, 3, "u", "-2.00")
	w.wantUncovered(t, "of u, without 2.00", only("u"), 22)
	w.adjust(t, 4, "v", "-0.01")
	w.wantUncovered(t, "of both", everyone(), 22, 24)
	w.wantUncovered(t, "to v", only("v"), 24)
	w.wantUncovered(t, "to nobody", only("nobody"))
	w.wantUncovered(t, "to a stranger", query.Owner{})

	w.adjust(t, 5, "u", "-0.01")
	w.wantUncovered(t, "of u, without 2.01", only("u"), 21, 22)
	w.give(t, id(6), noon(), command.Adjustment{UserID: "u", Amount: "9.00", Currency: "EUR"})
	w.wantUncovered(t, "of u, with EUR", only("u"), 21, 22)
	w.close(t, minute(5), command.Closing{ID: id(22), To: payout.Failed})
	w.wantUncovered(t, "of u, after one failed", only("u"), 21)
	w.close(t, minute(6), command.Closing{ID: id(23), To: payout.Completed})
	w.wantUncovered(t, "of u, after one is paid", only("u"), 21)
	w.adjust(t, 7, "u", "0.01")
	w.wantUncovered(t, "of u, after a credit", only("u"))

	if found, err := w.Coverage.Uncovered(t.Context(), everyone(), nil); len(found) > 0 || err != nil {
		t.Errorf("of no payouts: %v, %v", found, err)
	}
}
