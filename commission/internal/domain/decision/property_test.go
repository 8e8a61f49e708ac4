package decision_test

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tributary/commission/internal/domain/decision"
	"tributary/commission/internal/domain/event"
	"tributary/commission/internal/domain/rule"
	"tributary/contracts/eventtype"
	"tributary/platform/money"
)

func rate(text string) money.Rate {
	r, err := money.ParseRate(text)
	if err != nil {
		panic(err)
	}

	return r
}

func published(t fataler, snapshot rule.Snapshot) rule.Rule {
	if snapshot.EffectiveFrom.IsZero() {
		snapshot.EffectiveFrom = epoch().AddDate(-1, 0, 0)
	}

	if snapshot.Version == 0 {
		snapshot.Version = 1
	}

	snapshot.Name = snapshot.ID

	r, err := rule.New(snapshot)
	if err != nil {
		t.Fatalf("rule %s: %v", snapshot.ID, err)
	}

	return r
}

type fataler interface{ Fatalf(string, ...any) }

// percentRules have neither tiers nor caps: the result does not depend on the order of events.
func percentRules(t fataler, share string, mode money.Rounding) *rule.Set {
	var rules []rule.Rule
	for _, kind := range []eventtype.Type{eventtype.Sale, eventtype.Purchase} {
		rules = append(rules, published(t, rule.Snapshot{
			ID:       "pct-" + string(kind),
			Scope:    rule.Scope{EventType: kind},
			Formula:  rule.Percentage{Rate: rate(share)},
			Rounding: mode,
		}))
	}

	usd := money.USD()
	rules = append(rules, published(t, rule.Snapshot{
		ID:       "view",
		Scope:    rule.Scope{EventType: eventtype.View},
		Currency: usd,
		Formula:  rule.Flat{Amount: rate("0.125")},
		Rounding: mode,
	}))

	return rule.NewSet(1, rules)
}

// tieredRules depend on the order of events because of tiers and caps.
func tieredRules(t fataler) *rule.Set {
	usd := money.USD()
	tiers := []rule.Tier{
		{From: 0, Rate: rate("0.05")},
		{From: 10_000, Rate: rate("0.0725")},
		{From: 50_000, Rate: rate("0.1")},
	}

	return rule.NewSet(1, []rule.Rule{
		published(t, rule.Snapshot{
			ID:       "graduated",
			Scope:    rule.Scope{EventType: eventtype.Sale},
			Currency: usd,
			Formula:  rule.Graduated{Tiers: tiers, Period: rule.Monthly},
			Cap:      &rule.Cap{Amount: 6_000, Period: rule.Monthly},
		}),
		published(t, rule.Snapshot{
			ID:          "all",
			Scope:       rule.Scope{EventType: eventtype.Purchase},
			Currency:    usd,
			Formula:     rule.AllUnits{Tiers: tiers, Period: rule.Lifetime},
			MinimumBase: 100,
			Maximum:     5_000,
		}),
	})
}

// history draws events of some users: sales, purchases, views, and reversals of any of them, by
// event or by order. Every order has one sale.
func history(t *rapid.T) []event.Event {
	var out []event.Event
	n := rapid.IntRange(1, 25).Draw(t, "events")

	add := func(f event.Snapshot) {
		f.OccurredAt = epoch().Add(
			time.Duration(rapid.IntRange(0, 60*24*60).Draw(t, "minute")) * time.Minute,
		)

		e, err := event.New(f)
		if err != nil {
			t.Fatalf("event: %v", err)
		}

		out = append(out, e)
	}
	for i := range n {
		user := fmt.Sprintf("u%d", rapid.IntRange(0, 2).Draw(t, "user"))
		kind := rapid.SampledFrom(
			[]eventtype.Type{eventtype.Sale, eventtype.Purchase, eventtype.View, eventtype.Lead},
		).Draw(t, "type")

		f := event.Snapshot{ID: fmt.Sprintf("e%d", i), UserID: user, Type: kind}
		if kind.Sells() {
			f.Amount = money.FromMinor(
				rapid.Int64Range(0, 40_000).Draw(t, "minor"),
				money.USD(),
			).String()
			f.OrderID = fmt.Sprintf("o%d", i)
		}

		add(f)

		for j := range rapid.IntRange(0, 3).Draw(t, "reversals") {
			r := event.Snapshot{
				ID:     fmt.Sprintf("r%d-%d", i, j),
				UserID: user,
				Type: rapid.SampledFrom(
					[]eventtype.Type{eventtype.Refund, eventtype.Void, eventtype.Chargeback},
				).Draw(t, "reversal"),
			}
			if f.OrderID != "" && rapid.Bool().Draw(t, "by order") {
				r.OrderID = f.OrderID
			} else {
				r.OriginalID = f.ID
			}

			if rapid.Bool().Draw(t, "partial") {
				r.Amount = money.FromMinor(
					rapid.Int64Range(1, 40_000).Draw(t, "part"),
					money.USD(),
				).String()
			}

			add(r)
		}
	}

	return out
}

// nets returns the sum for each event.
func nets(decisions []decision.Decision) map[string]int64 {
	out := map[string]int64{}
	for _, d := range decisions {
		if d.Outcome == decision.Commissioned {
			out[d.OriginalEventID()] += d.Amount.Minor()
		}
	}

	for key, net := range out {
		if net == 0 {
			delete(out, key)
		}
	}

	return out
}

func TestAnyOrderAndDuplicationGivesTheSame(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		rules := percentRules(
			t,
			rapid.SampledFrom([]string{"0.1", "0.0333", "0.125", "0.005"}).Draw(t, "rate"),
			rapid.SampledFrom([]money.Rounding{money.HalfEven, money.HalfUp}).Draw(t, "mode"),
		)
		events := history(t)
		want := nets(decision.Run(events, rules, decision.Manual{}))
		shuffled := rapid.Permutation(
			append(events, rapid.SliceOf(rapid.SampledFrom(events)).Draw(t, "again")...),
		).Draw(t, "order")

		decisions := decision.RunInOrder(shuffled, rules, nil)
		if len(decisions) != len(events) {
			t.Fatalf("%d decisions for %d events", len(decisions), len(events))
		}

		if got := nets(decisions); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Fatalf("in another order %v, want %v", got, want)
		}
	})
}

func TestNeverMoreIsTakenBackThanWasGiven(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		for id, net := range nets(decision.RunInOrder(rapid.Permutation(history(t)).Draw(t, "order"), tieredRules(t), nil)) {
			if net < 0 {
				t.Fatalf("%s brings %d: more was taken back than given", id, net)
			}
		}
	})
}

func TestReversalsTakeBackExactlyWhatWasGiven(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		currency := rapid.SampledFrom([]string{"JPY", "USD", "KWD"}).Draw(t, "currency")

		c, err := money.ParseCurrency(currency)
		if err != nil {
			t.Fatalf("%v", err)
		}

		rules := percentRules(
			t,
			rapid.StringMatching(`0\.[0-9]{1,6}`).Draw(t, "rate"),
			rapid.SampledFrom([]money.Rounding{money.HalfEven, money.HalfUp}).Draw(t, "mode"),
		)
		whole := rapid.Int64Range(1, 1e12).Draw(t, "amount")

		sale, err := event.New(
			event.Snapshot{
				ID:         "s",
				UserID:     "u",
				Type:       eventtype.Sale,
				OccurredAt: epoch(),
				Amount:     money.FromMinor(whole, c).String(),
				Currency:   currency,
			},
		)
		if err != nil {
			t.Fatalf("%v", err)
		}

		events := []event.Event{sale}

		left := whole
		for i := 0; left > 0; i++ {
			part := min(left, rapid.Int64Range(1, whole).Draw(t, "part"))
			if i == 20 {
				part = left
			}

			left -= part

			r, err := event.New(
				event.Snapshot{
					ID:         fmt.Sprint("r", i),
					UserID:     "u",
					Type:       eventtype.Refund,
					OccurredAt: epoch(),
					OriginalID: "s",
					Amount:     money.FromMinor(part, c).String(),
					Currency:   currency,
				},
			)
			if err != nil {
				t.Fatalf("%v", err)
			}

			events = append(events, r)
		}

		if net := nets(decision.RunInOrder(events, rules, nil)); len(net) != 0 {
			t.Fatalf("after all is taken back %v is left", net)
		}
	})
}

// What tiers earn over a period is the total of the volume, however it is divided.
func TestTiersAddUp(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		rules := rule.NewSet(1, []rule.Rule{published(t, rule.Snapshot{
			ID:       "g",
			Scope:    rule.Scope{EventType: eventtype.Sale},
			Currency: money.USD(),
			Formula: rule.NewFormula(
				rapid.SampledFrom([]rule.Kind{"graduated", "all_units"}).Draw(t, "kind"),
				rule.Parameters{
					Period: rule.Lifetime,
					Tiers:  []rule.Tier{{From: 0, Rate: rate("0.1")}, {From: 1000, Rate: rate("0.2")}},
				},
			),
		})})
		// multiples of 10 cents: nothing to round
		pieces := rapid.SliceOfN(rapid.Int64Range(1, 50), 1, 30).Draw(t, "tens of cents")

		var (
			events []event.Event
			sum    int64
		)
		for i, piece := range pieces {
			e, err := event.New(
				event.Snapshot{
					ID:         fmt.Sprint(i),
					UserID:     "u",
					Type:       eventtype.Sale,
					OccurredAt: epoch(),
					Amount:     money.FromMinor(piece*10, money.USD()).String(),
				},
			)
			if err != nil {
				t.Fatalf("%v", err)
			}

			events = append(events, e)
			sum += piece * 10
		}

		whole, err := event.New(
			event.Snapshot{
				ID:         "all",
				UserID:     "v",
				Type:       eventtype.Sale,
				OccurredAt: epoch(),
				Amount:     money.FromMinor(sum, money.USD()).String(),
			},
		)
		if err != nil {
			t.Fatalf("%v", err)
		}

		var total int64
		for _, net := range nets(decision.RunInOrder(events, rules, nil)) {
			total += net
		}

		if want := decision.Decide(whole, rules, decision.Account{}).Amount.Minor(); total != want {
			t.Fatalf("pieces %v sum to %d, the whole is %d", pieces, total, want)
		}
	})
}

// Every explanation of a stored decision agrees with the decision.
func TestExplanationsAgree(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		rules := tieredRules(t)
		decisions := decision.RunInOrder(rapid.Permutation(history(t)).Draw(t, "order"), rules, nil)

		byEvent := map[string]*decision.Decision{}
		for i := range decisions {
			byEvent[decisions[i].Event.ID()] = &decisions[i]
		}

		for _, d := range decisions {
			if x := decision.Explain(d, byEvent[d.OriginalID], rules); !x.Agrees() {
				t.Fatalf("%+v explained as %+v", x.Decision, x.Again)
			}
		}
	})
}

func epoch() time.Time { return time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC) }
