package replay_test

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tributary/commission/internal/application/replay"
	"tributary/commission/internal/domain/decision"
	"tributary/commission/internal/domain/event"
	domain "tributary/commission/internal/domain/replay"
	"tributary/commission/internal/domain/rule"
	"tributary/contracts/eventtype"
	"tributary/platform/money"
)

// A history that is decided event by event, whose past is forgotten, and whose differences come in
// parts has the result of one that is decided as a whole.
func TestPartsMakeNoDifference(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		h := drawnHistory(r)
		from := rapid.IntRange(0, 40).Draw(r, "from")
		period := domain.Period{
			From: november().From.AddDate(0, 0, from),
			To:   november().From.AddDate(0, 0, from+rapid.IntRange(1, 40).Draw(r, "days")),
		}
		size := rapid.IntRange(1, 5).Draw(r, "size")

		want := comparedAsAWhole(h, period)

		got, parts, err := replay.Compare(h, period, size)
		if err != nil || !reflect.DeepEqual(got, want) {
			r.Fatalf("in parts of %d: %v\n%+v\nas a whole:\n%+v", size, err, got, want)
		}

		if found := replay.NumberOf(got); size == 1 && parts <= min(found, 2)/2 {
			r.Fatalf("%d parts of %d differences and changes", parts, found)
		}
	})
}

// drawnHistory draws a history whose events refer to each other in every way, decided by other
// rules and in another order than a replay does.
func drawnHistory(t *rapid.T) replay.History {
	var events []event.Event

	id := func(n int) string { return fmt.Sprintf("e%02d", n) }
	n := rapid.IntRange(1, 14).Draw(t, "events")

	for i := range n {
		s := event.Snapshot{
			ID:         id(i),
			UserID:     "u",
			Type:       rapid.SampledFrom(types()).Draw(t, "type"),
			OccurredAt: november().From.Add(time.Duration(rapid.IntRange(0, 160).Draw(t, "at")) * 9 * time.Hour),
			CampaignID: rapid.SampledFrom([]string{"", "", "c"}).Draw(t, "campaign"),
			OrderID:    rapid.SampledFrom([]string{"", "o1", "o2", "o3"}).Draw(t, "order"),
		}

		if rapid.IntRange(0, 5).Draw(t, "amount") > 0 {
			s.Amount = money.FromMinor(rapid.Int64Range(0, 40_000).Draw(t, "minor"), money.USD()).String()
		}

		if s.Type.Reverses() && rapid.IntRange(0, 2).Draw(t, "by order") > 0 {
			s.OriginalID = id(rapid.IntRange(0, n+1).Draw(t, "original"))
		}

		events = append(events, event.Restore(s))
	}

	h := replay.History{
		Rules:  drawnRules(t),
		UserID: "u",
		Posted: map[replay.Money]int64{},
		Manual: decision.Manual{Rejected: map[string]bool{}, Keeps: map[string]bool{}},
		Usage:  map[decision.UsageKey]decision.Usage{},
	}

	for i := range rapid.IntRange(0, 2).Draw(t, "acted on") {
		acted := rapid.SampledFrom(events).Draw(t, "acted on")
		if !acted.Type().Reverses() {
			h.Manual.Keeps[acted.ID()] = true
			h.Manual.Rejected[acted.ID()] = i == 0
		}
	}

	arrival := rapid.Permutation(events).Draw(t, "arrival")
	for _, d := range decision.RunInOrder(arrival, drawnRules(t), h.Manual.Rejected) {
		h.Decisions = append(h.Decisions, replay.EffectiveDecision{Decision: d, CommissionID: "c" + d.Event.ID()})
		if d.Outcome == decision.Commissioned && !h.Manual.Rejected[d.OriginalEventID()] {
			h.Posted[replay.Money{EventID: d.OriginalEventID(), Currency: d.Currency.String()}] += d.Amount.Minor()
		}
	}

	if rapid.Bool().Draw(t, "in another currency") {
		h.Posted[replay.Money{EventID: id(0), Currency: "EUR"}] = 7
	}

	return h
}

func types() []eventtype.Type {
	return []eventtype.Type{
		eventtype.Sale, eventtype.Sale, eventtype.Purchase, eventtype.View, eventtype.Lead,
		eventtype.Refund, eventtype.Refund, eventtype.Void,
	}
}

// drawnRules draws rules with tiers, caps, a minimum and a maximum.
func drawnRules(t *rapid.T) *rule.Set {
	share := func(text string) money.Rate {
		rate, err := money.ParseRate(text)
		if err != nil {
			t.Fatal(err)
		}

		return rate
	}

	tiers := []rule.Tier{{From: 0, Rate: share("0.05")}, {From: 20_000, Rate: share("0.1")}}
	limit := &rule.Cap{Amount: rapid.Int64Range(1, 3_000).Draw(t, "cap"), Period: rule.Monthly}

	var rules []rule.Rule
	for _, s := range []rule.Snapshot{
		{
			Scope:   rule.Scope{EventType: eventtype.Sale},
			Formula: rule.Graduated{Tiers: tiers, Period: rule.Monthly},
			Cap:     limit,
		},
		{
			Scope:       rule.Scope{EventType: eventtype.Purchase},
			Formula:     rule.AllUnits{Tiers: tiers, Period: rule.Lifetime},
			MinimumBase: 10_000,
			Maximum:     2_500,
		},
		{
			Scope:   rule.Scope{EventType: eventtype.View},
			Formula: rule.Flat{Amount: share("0.7")},
			Cap:     &rule.Cap{Amount: 150, Period: rule.Daily},
		},
	} {
		if rapid.IntRange(0, 4).Draw(t, "without") == 0 {
			continue
		}

		s.ID = string(s.Scope.EventType)
		s.Name = s.ID
		s.Version = 1
		s.Currency = money.USD()
		s.EffectiveFrom = november().From.AddDate(-1, 0, 0)

		made, err := rule.New(s)
		if err != nil {
			t.Fatal(err)
		}

		rules = append(rules, made)
	}

	return rule.NewSet(1, rules)
}

// comparedAsAWhole is what a comparison is to find, from all decisions at once.
func comparedAsAWhole(h replay.History, period domain.Period) replay.Comparison {
	events := make([]event.Event, len(h.Decisions))
	stood := map[string]replay.EffectiveDecision{}
	known := map[string]event.Event{}

	for i, d := range h.Decisions {
		events[i] = d.Event
		stood[d.Event.ID()] = d
		known[d.Event.ID()] = d.Event
	}

	var (
		again       = decision.Run(events, h.Rules, h.Manual)
		expected    = sums(again, h.Manual.Rejected)
		inside      = 0
		differences []replay.Difference
		changed     []replay.EffectiveDecision
		stands      []decision.Decision
	)

	for _, d := range again {
		if period.Holds(d.Event.OccurredAt()) {
			inside++
		}

		s := stood[d.Event.ID()]
		before := len(differences)

		if !belongs(d.Event, known, period) {
			stands = append(stands, s.Decision)
			continue
		}

		for _, currency := range []string{"EUR", "USD"} {
			key := replay.Money{EventID: d.Event.ID(), Currency: currency}
			if expected[key] == h.Posted[key] {
				continue
			}

			parsed, err := money.ParseCurrency(currency)
			if err != nil {
				panic(err)
			}

			differences = append(differences, replay.Difference{
				Event:    d.Event,
				Currency: parsed,
				Expected: expected[key],
				Posted:   h.Posted[key],
			})
		}

		if len(differences) > before || d.Outcome != decision.Parked && !d.Same(s.Decision) {
			s.Decision = d
			changed = append(changed, s)
		}

		stands = append(stands, s.Decision)
	}

	usage := decision.UsageOf(stands, h.Rules, h.Manual.Rejected)

	return replay.NewComparison(inside, differences, changed, h, usage)
}

// belongs reports whether a replay of the period decides the event: all sales of an order and their
// reversals belong to it if one of the sales occurred in it. A reversal alone belongs by its time.
func belongs(e event.Event, known map[string]event.Event, period domain.Period) bool {
	original := originalOf(e, known)
	if period.Holds(original.OccurredAt()) {
		return true
	}

	number := original.Snapshot().Order()
	if number.Number == "" || original.Type().Reverses() {
		return false
	}

	for _, other := range known {
		if other.Type().Sells() && other.Snapshot().Order() == number && period.Holds(other.OccurredAt()) {
			return true
		}
	}

	return false
}

// originalOf returns an event of the order that the reversal names, or the one that it names, or
// else the event itself.
func originalOf(e event.Event, known map[string]event.Event) event.Event {
	s := e.Snapshot()

	switch named, found := known[s.OriginalID]; {
	case !s.Type.Reverses():
		return e
	case s.OriginalID != "":
		if found && !named.Type().Reverses() {
			return named
		}

		return e
	}

	sales := slices.DeleteFunc(allOf(known), func(other event.Event) bool {
		return s.Order().Number == "" || !other.Type().Sells() || other.Snapshot().Order() != s.Order()
	})
	if len(sales) == 0 {
		return e
	}

	return sales[0]
}

func allOf(known map[string]event.Event) []event.Event {
	var all []event.Event
	for _, e := range known {
		all = append(all, e)
	}

	slices.SortFunc(all, func(a, b event.Event) int { return cmp.Compare(a.ID(), b.ID()) })

	return all
}

func sums(decisions []decision.Decision, rejected map[string]bool) map[replay.Money]int64 {
	out := map[replay.Money]int64{}
	for _, d := range decisions {
		if d.Outcome == decision.Commissioned && !rejected[d.OriginalEventID()] {
			out[replay.Money{EventID: d.OriginalEventID(), Currency: d.Currency.String()}] += d.Amount.Minor()
		}
	}

	return out
}
