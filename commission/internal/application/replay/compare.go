package replay

import (
	"maps"
	"math"
	"slices"

	"tributary/commission/internal/domain/decision"
	"tributary/commission/internal/domain/replay"
	"tributary/commission/internal/domain/rule"
	"tributary/platform/money"
)

// comparison is the result of comparing a user's history, or a part of it.
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

// compare decides the history again and returns where the result differs from what is posted, and
// from the effective decisions. The sales of an order and their reversals are compared together: if
// one of the sales belongs to the period, all of them do, so that money moves from one sale to
// another in one step.
func compare(history History, period replay.Period) (comparison, error) {
	var whole comparison

	err := compareInParts(history, period, math.MaxInt, func(part comparison) error {
		whole.events += part.events
		whole.differences = append(whole.differences, part.differences...)
		whole.changed = append(whole.changed, part.changed...)
		whole.usage = part.usage

		return nil
	})

	return whole, err
}

// compareInParts calls fn with what compare returns, in parts of whole events with at least size
// differences and changes. The usage comes with the last part. An error of fn ends the comparison.
func compareInParts(
	history History,
	period replay.Period,
	size int,
	fn func(comparison) error,
) error {
	parts := history.InParts()

	ahead, err := lookAhead(history, parts, period)
	if err != nil {
		return err
	}

	course := history.course(parts, history.Rules)
	should := decision.NewTally(history.Rules, history.Manual.Rejected, parts.Ties)
	course.OnForget(should.Forget)

	var found comparison

	for entry, err := range parts.Entries {
		if err != nil {
			return err
		}

		for d, waited := range course.Decide(entry.Event) {
			if !waited { // it has had its turn
				should.Add(found.add(entry, ahead.final(d, course)))
			}
		}

		if len(found.differences)+len(found.changed) >= size {
			if err := fn(found); err != nil {
				return err
			}

			found = comparison{}
		}
	}

	found.usage = missing(history.Usage, should.Usage())

	return fn(found)
}

// course returns the history at its beginning.
func (h History) course(parts Parts, rules *rule.Set) *decision.Course {
	return decision.NewCourse(rules, h.Manual.Rejected, parts.Keeps, parts.Ties)
}

// add compares an entry with the decision, and returns the one that counts after the replay.
func (c *comparison) add(entry Entry, again final) decision.Decision {
	if again.inside {
		c.events++
	}

	if !again.belongs {
		return entry.Decision
	}

	before := len(c.differences)
	c.differences = append(c.differences, entry.differences(again)...)

	differs := again.Outcome != decision.Parked && !again.Same(entry.Decision)
	if !differs && len(c.differences) == before {
		return entry.Decision
	}

	c.changed = append(c.changed, EffectiveDecision{
		Decision:     again.Decision,
		CommissionID: entry.CommissionID,
	})

	return again.Decision
}

// differences returns the differences of the money of the event, by the code of the currency.
func (e Entry) differences(again final) []Difference {
	var out []Difference

	posted := e.Posted
	if again.Currency.Valid() && !slices.ContainsFunc(posted, func(a money.Amount) bool {
		return a.Currency() == again.Currency
	}) {
		posted = append(slices.Clone(posted), money.FromMinor(0, again.Currency))
		slices.SortFunc(posted, byCode)
	}

	for _, amount := range posted {
		var expected int64
		if amount.Currency() == again.Currency {
			expected = again.expected
		}

		if expected != amount.Minor() {
			out = append(out, Difference{
				Event:    again.Event,
				Currency: amount.Currency(),
				Expected: expected,
				Posted:   amount.Minor(),
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
