package replay

import (
	"cmp"
	"slices"

	"tributary/commission/internal/domain/decision"
	"tributary/platform/money"
)

// comparison is what a replay finds about a user.
type comparison struct {
	events      int // in the period
	differences []Difference
}

// compare decides the history anew and gives where the result is not what is booked.
func compare(history History, period Period) comparison {
	decisions := decision.Run(history.Events, history.Rules, history.Rejected)
	expected := expectedOf(decisions, history.Rejected)
	currencies := currenciesOf(expected, history.Booked)
	var found comparison
	for _, d := range decisions {
		e := d.Event
		if !period.holds(e.OccurredAt()) {
			continue
		}
		found.events++
		if e.Type().Reverses() {
			continue
		}
		for _, currency := range currencies[e.ID()] {
			key := Money{EventID: e.ID(), Currency: currency.String()}
			if expected[key] != history.Booked[key] {
				found.differences = append(found.differences, Difference{Event: e, Currency: currency, Expected: expected[key], Booked: history.Booked[key]})
			}
		}
	}
	return found
}

// expectedOf sums what decisions bring, by the event that the money belongs to. What was rejected by hand brings nothing.
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
			if c, err := money.ParseCurrency(key.Currency); err == nil && !slices.Contains(out[key.EventID], c) {
				out[key.EventID] = append(out[key.EventID], c)
			}
		}
	}
	for _, list := range out {
		slices.SortFunc(list, func(a, b money.Currency) int { return cmp.Compare(a.String(), b.String()) })
	}
	return out
}
