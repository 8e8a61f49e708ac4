package postgres_test

import (
	"strings"
	"testing"

	"tributary/commission/internal/application/query"
	"tributary/commission/internal/domain/event"
)

// A refund of a sale that was out of range only for the accounts of its rule reverses nothing, and
// later events are decided.
func TestARefundOfASaleOutOfRange(t *testing.T) {
	t.Parallel()
	f := setup(t)

	huge := func(id string) event.Snapshot {
		e := purchase(id, "u", "999999999999.9999")
		e.Currency = "CLF"

		return e
	}
	f.rule(t, 1, 1, "900", capped, "'CLF', 100, 'lifetime'")
	f.rule(t, 1, 2, "900", "", "") // sums are kept for version 1, which looks at them
	f.decide(t, huge("e1"), huge("e2"))
	f.decide(t, refund("r2", "u", "e2", ""), refund("again", "u", "e2", "1"), purchase("e3", "u", "7"))

	const wide = "9999999999999999 8999999999999999100"

	want := "commissioned rule_applied 8999999999999999100; not_commissioned amount_out_of_range 0; " +
		"not_commissioned amount_out_of_range 0; not_commissioned amount_out_of_range 0; "
	if got := f.outcomes(t, "e1", "e2", "r2", "again"); got != want {
		t.Errorf("decided: %s, want %s", got, want)
	}

	if got := f.usage(t); !strings.Contains(got, "901 lifetime "+wide) {
		t.Errorf("usage: %s, want %s", got, wide)
	}

	if got := f.replay(t); got != "" {
		t.Errorf("a replay posts %s", got)
	}

	for _, id := range []string{"e1", "e2", "r2", "again"} {
		x, err := query.NewExplain(f.store).Decision(t.Context(), query.Everything(), id)
		if err != nil || !x.Explanation.Agrees() {
			t.Errorf("the explanation of %s: %v, %v", id, x.Explanation, err)
		}
	}
}

// An event that contradicts what is stored is refused by itself; consumption goes on.
func TestAContradictionHoldsNothingUp(t *testing.T) {
	t.Parallel()
	f := setup(t)
	f.decide(t, purchase("e1", "u", "10"))
	f.owned(t, `SET LOCAL session_replication_role = replica; DELETE FROM commissions`)

	events := []event.Event{
		event.Restore(purchase("e2", "u", "10")),
		event.Restore(refund("r1", "u", "e1", "")),
		event.Restore(purchase("e3", "u", "10")),
	}

	refused, err := f.handler.Handle(t.Context(), events)
	if err != nil || len(refused) != 1 || refused[0].Event.ID() != "r1" {
		t.Fatalf("refused %v, %v", refused, err)
	}

	want := "commissioned rule_applied 100; commissioned rule_applied 100; "
	if got := f.outcomes(t, "e2", "e3"); got != want {
		t.Errorf("%s, want %s", got, want)
	}
}
