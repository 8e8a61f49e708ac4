package postgres_test

import (
	"testing"
	"time"

	"tributary/commission/internal/application/change"
	"tributary/commission/internal/application/query"
	"tributary/commission/internal/domain/commission"
	"tributary/commission/internal/domain/event"
	"tributary/commission/internal/domain/rule"
	"tributary/contracts/eventtype"
	"tributary/platform/money"
)

func share(t *testing.T, text string) money.Rate {
	t.Helper()

	r, err := money.ParseRate(text)
	if err != nil {
		t.Fatal(err)
	}

	return r
}

// unaudited is the result of a change of a rule that writes nothing to the audit.
func unaudited(made rule.Rule, err error) (rule.Rule, change.Outcome, error) {
	return made, change.Outcome{}, err
}

// version publishes the next version of u's own rule for purchases.
func (f fixture) version(t *testing.T, snapshot rule.Snapshot) {
	t.Helper()

	snapshot.Name = "of u"
	snapshot.Currency = money.USD()
	snapshot.EffectiveFrom = start().AddDate(-1, 0, 0)
	snapshot.Scope = rule.Scope{EventType: eventtype.Purchase, UserID: "u"}

	err := f.store.PublishRule(t.Context(), byHand(), func(set *rule.Set) (rule.Rule, change.Outcome, error) {
		snapshot.PublishedAt = start()
		snapshot.ID = "00000000-0000-7000-8000-000000000901"
		snapshot.Version = len(set.Versions(snapshot.ID)) + 1

		return unaudited(rule.New(snapshot))
	})
	if err != nil {
		t.Fatal(err)
	}
}

func (f fixture) outcomes(t *testing.T, ids ...string) string {
	t.Helper()

	text := ""
	for _, id := range ids {
		text += f.outcome(t, id) + "; "
	}

	return text
}

// A version that adds a cap or tiers, or changes their period, meets what was earned before it was
// published: what reversals have left of it, without what was rejected.
func TestAVersionMeetsWhatWasEarnedBefore(t *testing.T) {
	t.Parallel()

	tenth := rule.Percentage{Rate: share(t, "0.1")}
	tiers := func(p rule.Period) rule.Formula {
		return rule.Graduated{
			Period: p,
			Tiers: []rule.Tier{
				{From: 0, Rate: share(t, "0.1")},
				{From: 10_000, Rate: share(t, "0.2")},
			},
		}
	}
	limit := func(p rule.Period) *rule.Cap { return &rule.Cap{Amount: 1_500, Period: p} }

	for name, c := range map[string]struct {
		before, after rule.Snapshot
		// of a purchase of 100.00 in November after 100.00 there, 100.00 in October
		want string
	}{
		"a cap is added": {
			rule.Snapshot{Formula: tenth},
			rule.Snapshot{Formula: tenth, Cap: limit(rule.Monthly)},
			"commissioned rule_applied_at_cap 500; ",
		},
		"a cap for life is added": {
			rule.Snapshot{Formula: tenth},
			rule.Snapshot{Formula: tenth, Cap: limit(rule.Lifetime)},
			"not_commissioned cap_reached 0; ",
		},
		"a cap by day becomes one by month": {
			rule.Snapshot{Formula: tenth, Cap: limit(rule.Daily)},
			rule.Snapshot{Formula: tenth, Cap: limit(rule.Monthly)},
			"commissioned rule_applied_at_cap 500; ",
		},
		"a cap by month becomes one by day": {
			rule.Snapshot{Formula: tenth, Cap: limit(rule.Monthly)},
			rule.Snapshot{Formula: tenth, Cap: limit(rule.Daily)},
			"commissioned rule_applied_at_cap 500; ",
		},
		"tiers are added": {
			rule.Snapshot{Formula: tenth},
			rule.Snapshot{Formula: tiers(rule.Monthly)},
			"commissioned rule_applied 2000; ",
		},
		"tiers by month become tiers for life": {
			rule.Snapshot{Formula: tiers(rule.Monthly)},
			rule.Snapshot{Formula: tiers(rule.Lifetime)},
			"commissioned rule_applied 2000; ",
		},
		"tiers for life become tiers by month": {
			rule.Snapshot{Formula: tiers(rule.Lifetime)},
			rule.Snapshot{Formula: tiers(rule.Monthly), Cap: limit(rule.Monthly)},
			// that of November earned 20.00 by the tiers for life
			"not_commissioned cap_reached 0; ",
		},
		"a minimum counts by its version": {
			rule.Snapshot{Formula: tenth, MinimumBase: 20_000},
			rule.Snapshot{Formula: tenth, Cap: limit(rule.Monthly)},
			"commissioned rule_applied 1000; ",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := setup(t)
			f.version(t, c.before)

			october := purchase("october", "u", "100")
			october.OccurredAt = start().AddDate(0, -1, 0)
			f.decide(t, october, purchase("november", "u", "100"), purchase("back", "u", "30"))
			f.decide(t, refund("r", "u", "back", ""))
			f.version(t, c.after)
			f.decide(t, purchase("next", "u", "100"))

			if got := f.outcomes(t, "next"); got != c.want {
				t.Errorf("%s, want %s", got, c.want)
			}

			f.replay(t)

			if before := f.usage(t); f.replay(t) != "" || f.usage(t) != before {
				t.Errorf("a second replay leaves %s, and found %s", f.usage(t), before)
			}
		})
	}
}

// A rejection before or after the account is derived leaves it without what was rejected.
func TestADerivedAccountIsWithoutWhatWasRejected(t *testing.T) {
	t.Parallel()

	tenth := rule.Percentage{Rate: share(t, "0.1")}
	f := setup(t)
	f.version(t, rule.Snapshot{Formula: tenth, HoldDays: 30})
	f.decide(
		t,
		purchase("e1", "u", "100"),
		purchase("e2", "u", "100"),
		purchase("e3", "u", "100"),
		refund("r2", "u", "e2", "40"),
	)
	f.act(t, "e1", commission.Reject)
	f.version(t, rule.Snapshot{
		Formula:  tenth,
		HoldDays: 30,
		Cap:      &rule.Cap{Amount: 2_000, Period: rule.Monthly},
	})
	f.act(t, "e2", commission.Reject)

	if got := f.usage(t); got != "" {
		t.Errorf("before it is needed there is %s", got)
	}

	f.decide(t, purchase("e4", "u", "50"))
	f.act(t, "e3", commission.Reject)

	if got := f.usage(t); got != "901 2026-11 5000 500" {
		t.Errorf("usage: %s", got)
	}

	if got := f.replay(t) + f.usage(t); got != "901 2026-11 5000 500" {
		t.Errorf("replayed: %s", got)
	}
}

// An order is taken by the first event that a rule applies to, also when that earns nothing.
func TestAnOrderThatEarnedNothingIsTaken(t *testing.T) {
	t.Parallel()
	f := setup(t)
	f.version(t, rule.Snapshot{Formula: rule.Graduated{
		Period: rule.Monthly,
		Tiers: []rule.Tier{
			{From: 0, Rate: share(t, "0")},
			{From: 10_000, Rate: share(t, "0.1")},
		},
	}})

	order := func(id, order, campaign string) event.Snapshot {
		e := purchase(id, "u", "80")
		e.OrderID = order
		e.CampaignID = campaign

		return e
	}
	f.decide(t, order("e1", "x", ""), order("e2", "x", ""))
	f.decide(t, order("e3", "x", ""), order("e4", "x", "shop-b"), order("e5", "x", "shop-b"))

	want := "not_commissioned zero_commission 0; not_commissioned duplicate_order 0; " +
		"not_commissioned duplicate_order 0; commissioned rule_applied 600; " +
		"not_commissioned duplicate_order 0; "
	if got := f.outcomes(t, "e1", "e2", "e3", "e4", "e5"); got != want {
		t.Errorf("%s, want %s", got, want)
	}

	byOrder := refund("r1", "u", "", "")
	byOrder.OrderID = "x"
	byOrder.CampaignID = "shop-b"
	second := refund("r2", "u", "e5", "")
	f.decide(t, byOrder, second)

	want = "commissioned clawed_back -600; not_commissioned already_reversed 0; "
	if got := f.outcomes(t, "r1", "r2"); got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// A reversal of a reversal gets one decision, whatever comes first.
func TestAReversalOfAReversal(t *testing.T) {
	t.Parallel()

	all := []event.Snapshot{
		purchase("sale", "u", "100"),
		refund("r1", "u", "sale", ""),
		refund("r2", "u", "r1", ""),
		refund("r3", "u", "r2", ""),
		refund("self", "u", "self", ""),
	}
	want := "commissioned rule_applied 1000; commissioned clawed_back -1000; " +
		"not_commissioned original_not_reversible 0; not_commissioned original_not_reversible 0; " +
		"not_commissioned original_not_reversible 0; "

	for _, order := range [][]int{
		{0, 1, 2, 3, 4},
		{4, 3, 2, 1, 0},
		{2, 1, 0, 3, 4},
		{2, 0, 1, 4, 3},
		{3, 1, 2, 4, 0},
	} {
		for _, batch := range []int{1, 2, 5} {
			f := setup(t)

			for i := 0; i < len(order); i += batch {
				var part []event.Snapshot
				for _, n := range order[i:min(i+batch, len(order))] {
					part = append(part, all[n])
				}

				f.decide(t, part...)
			}

			if got := f.outcomes(t, "sale", "r1", "r2", "r3", "self"); got != want {
				t.Errorf("in the order %v by %d: %s", order, batch, got)
			}
		}
	}
}

// heldRule has everything wait.
func (f fixture) heldRule(t *testing.T) {
	t.Helper()
	f.version(t, rule.Snapshot{
		Formula:  rule.Percentage{Rate: share(t, "0.1")},
		HoldDays: 3_650,
	})
}

func ofOrder(id, order string, second int) event.Snapshot {
	e := purchase(id, "u", "100")
	e.OrderID = order
	e.OccurredAt = start().Add(-time.Hour + time.Duration(second)*time.Second)

	return e
}

// A replay without a change of rules neither pays for an order that was rejected for another event
// of it, nor releases what is held.
func TestAReplayKeepsWhatOperatorsDecided(t *testing.T) {
	t.Parallel()

	for action, balances := range map[commission.Action][2]string{
		commission.Reject: {"0/0/0/0", "0/0/0/0"},
		commission.Hold:   {"1000/0/0/0", "1000/0/0/0"},
	} {
		f := setup(t)
		f.heldRule(t)
		f.decide(t, ofOrder("first", "z", 9), ofOrder("second", "z", 7))
		f.act(t, "first", action)

		if got := f.balance(t, "u"); got != balances[0] {
			t.Errorf("%s: %s", action, got)
		}

		if got := f.replay(t) + f.balance(t, "u"); got != balances[1] {
			t.Errorf("replayed after %s: %s", action, got)
		}

		if action == commission.Hold {
			f.act(t, "first", commission.Release)
		}

		want := "second +1000;first -1000;1000/0/0/0"
		if action == commission.Reject {
			want = "0/0/0/0"
		}

		if got := f.replay(t) + f.balance(t, "u"); got != want {
			t.Errorf("replayed again after %s: %s", action, got)
		}
	}
}

// An adjustment that a replay grants to an event without a commission is pending as its rule says,
// and can be acted on like an earning.
func TestAnAdjustmentThatStandsInWaits(t *testing.T) {
	t.Parallel()

	for action, want := range map[commission.Action]string{
		commission.Approve: "0/1000/0/0",
		commission.Reject:  "0/0/0/0",
		commission.Hold:    "1000/0/0/0",
	} {
		f := setup(t)
		f.heldRule(t)
		f.decide(t, ofOrder("first", "z", 9), ofOrder("second", "z", 7))

		if got := f.replay(t) + f.balance(t, "u"); got != "second +1000;first -1000;1000/0/0/0" {
			t.Errorf("replayed: %s", got)
		}

		f.actOn(t, "second", "adjustment", action)

		if got := f.balance(t, "u"); got != want {
			t.Errorf("%s: %s, want %s", action, got, want)
		}

		if got := f.replay(t) + f.balance(t, "u"); got != want {
			t.Errorf("replayed after %s: %s, want %s", action, got, want)
		}

		due := start().AddDate(11, 0, 0)
		if _, err := f.approveDue(t.Context(), due, 10); err != nil {
			t.Fatal(err)
		}
	}
}

// A replay of a part of the time takes the sales of an order and their reversals together; what
// comes later finds money where the decisions say it is.
func TestAVoidAfterAReplayOfAPart(t *testing.T) {
	t.Parallel()
	f := setup(t)
	f.heldRule(t)

	back := refund("r", "u", "", "40")
	back.OrderID = "o"
	f.decide(t, ofOrder("x", "o", 9), ofOrder("y", "o", 7))
	f.decide(t, back)

	second := start().Add(-time.Hour + 7*time.Second)
	if got := f.replayOf(t, second, second.Add(time.Second)); got != "y +600;x -600;" {
		t.Errorf("posted: %s", got)
	}

	f.decide(t, refund("void x", "u", "x", ""))

	if got := f.outcomes(t, "void x") + f.balance(t, "u"); got != "commissioned clawed_back -600; 0/0/0/0" {
		t.Errorf("void of x: %s", got)
	}

	if got := f.replay(t) + f.balance(t, "u"); got != "0/0/0/0" {
		t.Errorf("replayed: %s", got)
	}
}

// Sums beyond 64 bits are correct: every event is decided, and every query is answered.
func TestSumsBeyond64Bits(t *testing.T) {
	t.Parallel()
	f := setup(t)

	huge := func(id string) event.Snapshot {
		e := purchase(id, "u", "999999999999.9999")
		e.Currency = "CLF"

		return e
	}
	f.rule(t, 1, 1, "900", "", "")
	f.decide(t, huge("e1"), huge("e2"))
	f.decide(t, huge("e3"))

	want := "commissioned rule_applied 8999999999999999100; "
	if got := f.outcomes(t, "e1", "e2", "e3"); got != want+want+want {
		t.Errorf("decided: %s", got)
	}

	if got := f.balance(t, "u"); got != "0/26999999999999997300/0/0" {
		t.Errorf("balance: %s", got)
	}

	list, err := f.store.Liabilities().Balances(t.Context(), query.Everything().Owner())
	if err != nil || len(list) != 1 || list[0].Available.String() != "2699999999999999.7300" {
		t.Errorf("balances: %v, %v", list, err)
	}

	f.rule(t, 1, 2, "1000", "", "")
	f.decide(t, huge("e4"))

	if got := f.outcomes(t, "e4"); got != "not_commissioned amount_out_of_range 0; " {
		t.Errorf("beyond 64 bits by itself: %s", got)
	}
}

// An account of a rule that cannot hold more refuses the event and not the batch.
func TestAVolumeBeyond64Bits(t *testing.T) {
	t.Parallel()
	f := setup(t)
	f.rule(t, 1, 1, "0.1", capped, "'CLF', 100, 'lifetime'")

	events := make([]event.Snapshot, 0, 1_000)
	for i := range cap(events) {
		e := purchase(newID(), "u", "999999999999.9999")
		e.Currency = "CLF"
		e.OccurredAt = start().Add(-time.Duration(cap(events)-i) * time.Second)
		events = append(events, e)
	}

	f.decide(t, events[:600]...)
	f.decide(t, events[600:]...)

	const count = `SELECT string_agg(concat_ws(' ', reason, n), ', ' ORDER BY reason)
    FROM (SELECT reason, count(*) AS n FROM decisions GROUP BY reason) AS d`

	want := "amount_out_of_range 78, cap_reached 921, rule_applied_at_cap 1"
	if got := f.one(t, count); got != want {
		t.Errorf("%s, want %s", got, want)
	}
}
