package replay

import (
	"cmp"
	"maps"
	"slices"

	"tributary/commission/internal/domain/decision"
	"tributary/commission/internal/domain/event"
	"tributary/commission/internal/domain/replay"
	"tributary/platform/money"
)

// comparison is the result of comparing a user's history.
type comparison struct {
	events      int // in the period
	differences []Difference
	// of the period: decisions whose effective decision differs, and all with a difference
	changed []EffectiveDecision
	usage   map[decision.UsageKey]decision.Usage
}

func (c comparison) nothing() bool {
	return len(c.differences) == 0 && len(c.changed) == 0 && len(c.usage) == 0
}

func (h History) events() []event.Event {
	out := make([]event.Event, len(h.Decisions))
	for i, d := range h.Decisions {
		out[i] = d.Event
	}

	return out
}

// compare decides the history again and returns where the result differs from what is posted, and
// from the effective decisions. The sales of an order and their reversals are compared together: if
// one of the sales belongs to the period, all of them do, so that money moves from one sale to
// another in one step.
func compare(history History, period replay.Period) comparison {
	again := decision.Run(history.events(), history.Rules, history.Manual)
	expected := expectedOf(again, history.Manual.Rejected)
	currencies := currenciesOf(expected, history.Posted)
	belongs := belonging(history.Decisions, period)

	stood := make(map[string]*EffectiveDecision, len(again))
	for i, s := range history.Decisions {
		stood[s.Event.ID()] = &history.Decisions[i]
	}

	var found comparison

	stands := again // becomes the effective decisions after the replay
	for i, d := range again {
		id, before := d.Event.ID(), len(found.differences)
		if period.Holds(d.Event.OccurredAt()) {
			found.events++
		}

		s := stood[id]
		if !belongs[id] {
			stands[i] = s.Decision
			continue
		}

		found.differences = append(
			found.differences,
			history.differences(d, expected, currencies[id])...)

		differs := d.Outcome != decision.Parked && !d.Same(s.Decision)
		if differs || len(found.differences) > before {
			found.changed = append(
				found.changed,
				EffectiveDecision{Decision: d, CommissionID: s.CommissionID},
			)
		} else {
			stands[i] = s.Decision
		}
	}

	should := decision.UsageOf(stands, history.Rules, history.Manual.Rejected)
	found.usage = missing(history.Usage, should)

	return found
}

// family names events that are decided together.
type family struct {
	order event.Order
	id    string
}

// familyOf returns the family of an event: that of its order; of a reversal, that of what it names.
func familyOf(e event.Event, known map[string]event.Event) family {
	snapshot := e.Snapshot()
	if named, ok := known[snapshot.OriginalID]; ok && snapshot.Type.Reverses() &&
		!named.Type().Reverses() {
		snapshot = named.Snapshot()
	} else if snapshot.OriginalID != "" && snapshot.Type.Reverses() {
		return family{id: snapshot.ID}
	}

	if number := snapshot.Order(); number.Number != "" {
		return family{order: number}
	}

	return family{id: snapshot.ID}
}

// belonging returns the events that a replay of the period decides: those of the families of which
// a sale, or whatever else can earn, occurred in it. A reversal alone belongs by its own time.
func belonging(decisions []EffectiveDecision, period replay.Period) map[string]bool {
	known := make(map[string]event.Event, len(decisions))
	for _, s := range decisions {
		known[s.Event.ID()] = s.Event
	}

	families := make(map[string]family, len(decisions))
	inside := map[family]bool{}
	earners := map[family]bool{}

	for id, e := range known {
		f := familyOf(e, known)

		families[id] = f
		if !e.Type().Reverses() {
			earners[f] = true
			inside[f] = inside[f] || period.Holds(e.OccurredAt())
		}
	}

	out := make(map[string]bool, len(decisions))
	for id, f := range families {
		out[id] = inside[f] || !earners[f] && period.Holds(known[id].OccurredAt())
	}

	return out
}

// differences returns the differences of the money of the event.
func (h History) differences(
	d decision.Decision,
	expected map[Money]int64,
	currencies []money.Currency,
) []Difference {
	var out []Difference
	for _, currency := range currencies {
		key := Money{EventID: d.Event.ID(), Currency: currency.String()}
		if expected[key] != h.Posted[key] {
			out = append(out, Difference{
				Event:    d.Event,
				Currency: currency,
				Expected: expected[key],
				Posted:   h.Posted[key],
			})
		}
	}

	return out
}

// missing returns the difference from one usage to the other.
func missing(is, should map[decision.UsageKey]decision.Usage) map[decision.UsageKey]decision.Usage {
	out := map[decision.UsageKey]decision.Usage{}
	for key := range should {
		out[key] = decision.Usage{}
	}

	for key := range is {
		out[key] = decision.Usage{}
	}

	for key := range out {
		out[key] = decision.Usage{
			Volume: should[key].Volume - is[key].Volume,
			Earned: should[key].Earned - is[key].Earned,
		}
	}

	maps.DeleteFunc(
		out,
		func(_ decision.UsageKey, u decision.Usage) bool { return u == decision.Usage{} },
	)

	return out
}

// expectedOf returns the sums of decisions by the event to which the money belongs. An event whose
// commission an operator rejected earns nothing.
func expectedOf(decisions []decision.Decision, rejected map[string]bool) map[Money]int64 {
	sums := map[Money]int64{}
	for _, d := range decisions {
		if d.Outcome == decision.Commissioned && !rejected[d.OriginalEventID()] {
			key := Money{EventID: d.OriginalEventID(), Currency: d.Currency.String()}
			sums[key] += d.Amount.Minor()
		}
	}

	return sums
}

// currenciesOf returns the currencies of each event, in order.
func currenciesOf(sums ...map[Money]int64) map[string][]money.Currency {
	out := map[string][]money.Currency{}
	for _, sum := range sums {
		for key := range sum {
			if c, err := money.ParseCurrency(key.Currency); err == nil &&
				!slices.Contains(out[key.EventID], c) {
				out[key.EventID] = append(out[key.EventID], c)
			}
		}
	}

	for _, list := range out {
		slices.SortFunc(
			list,
			func(a, b money.Currency) int { return cmp.Compare(a.String(), b.String()) },
		)
	}

	return out
}
