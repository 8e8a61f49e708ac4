package replay

import (
	"cmp"
	"maps"
	"slices"

	"tributary/commission/internal/domain/decision"
	"tributary/commission/internal/domain/event"
	"tributary/platform/money"
)

// comparison is what a replay finds about a user.
type comparison struct {
	events      int // in the period
	differences []Difference
	// of what belongs to the period: what does not stand as it should, and all that has a
	// difference
	changed []Standing
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

// compare decides the history anew and gives where the result is not what is booked, and not what
// stands.
func compare(history History, period Period) comparison {
	again := decision.Run(history.events(), history.Rules, history.Rejected)
	expected := expectedOf(again, history.Rejected)
	currencies := currenciesOf(expected, history.Booked)

	stood, inside := make(map[string]*Standing, len(again)), make(map[string]bool, len(again))
	for i, s := range history.Decisions {
		stood[s.Event.ID()], inside[s.Event.ID()] = &history.Decisions[i], period.holds(
			s.Event.OccurredAt(),
		)
	}

	var found comparison

	stands := again // becomes what stands after the replay
	for i, d := range again {
		id, before := d.Event.ID(), len(found.differences)
		if inside[id] {
			found.events++
			found.differences = append(
				found.differences,
				history.differences(d, expected, currencies[id])...)
		}

		s := stood[id]

		belongs := d.Outcome != decision.Parked && (inside[d.Root()] || inside[s.Root()])
		if belongs && (!d.Same(s.Decision) || len(found.differences) > before) {
			found.changed = append(
				found.changed,
				Standing{Decision: d, CommissionID: s.CommissionID},
			)
		} else {
			stands[i] = s.Decision
		}
	}

	found.usage = missing(history.Usage, decision.UsageOf(stands, history.Rules, history.Rejected))

	return found
}

// differences gives those of the money that belongs to the event.
func (h History) differences(
	d decision.Decision,
	expected map[Money]int64,
	currencies []money.Currency,
) []Difference {
	var out []Difference
	for _, currency := range currencies {
		key := Money{EventID: d.Event.ID(), Currency: currency.String()}
		if expected[key] != h.Booked[key] {
			out = append(out, Difference{
				Event:    d.Event,
				Currency: currency,
				Expected: expected[key],
				Booked:   h.Booked[key],
			})
		}
	}

	return out
}

// missing gives what leads from the one usage to the other.
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

// expectedOf sums what decisions bring, by the event that the money belongs to. What was rejected
// by hand brings nothing.
func expectedOf(decisions []decision.Decision, rejected map[string]bool) map[Money]int64 {
	sums := map[Money]int64{}
	for _, d := range decisions {
		if d.Outcome == decision.Commissioned && !rejected[d.Root()] {
			sums[Money{EventID: d.Root(), Currency: d.Currency.String()}] += d.Amount.Minor()
		}
	}

	return sums
}

// currenciesOf gives those in which there is anything about an event, in order.
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
