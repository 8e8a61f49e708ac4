package decision

import (
	"slices"

	"tributary/commission/internal/domain/event"
	"tributary/commission/internal/domain/rule"
)

// Run decides a history from nothing, in the order in which the events occurred, whatever the order
// in which they are given; events that come twice count once. It is what replay and what-if compare
// with. rejected names events whose commission was rejected by hand: it stays so.
func Run(events []event.Event, rules *rule.Set, rejected map[string]bool) []Decision {
	events = slices.Clone(events)
	slices.SortFunc(events, Chronological)

	return RunInOrder(events, rules, rejected)
}

// RunInOrder is Run in the order in which the events are given: what consumption makes of that
// order.
func RunInOrder(events []event.Event, rules *rule.Set, rejected map[string]bool) []Decision {
	books := NewBooks(len(events))
	final := make(map[string]int, len(events))

	out := make([]Decision, 0, len(events))
	for e, waited := range books.Undecided(events) {
		d := Decide(e, rules, books.Account(e))
		books.Record(d, rules)

		if rejected[e.ID()] {
			books.Reject(e)
			books.Release(e, rules)
		}

		if waited {
			out[final[e.ID()]] = d
			continue
		}

		final[e.ID()] = len(out)
		out = append(out, d)
	}

	return out
}

// Root is the event to which the money of a decision belongs: for a reversal, that which it takes
// back.
func (d Decision) Root() string {
	if d.Event.Type().Reverses() && d.OriginalID != "" {
		return d.OriginalID
	}

	return d.Event.ID()
}

// Same tells whether two decisions about an event say the same, whatever the revision of the rules
// that they considered.
func (d Decision) Same(other Decision) bool {
	at := d.AvailableAt.Equal(other.AvailableAt)
	d.Event = other.Event
	d.Revision = other.Revision
	d.HasBase = other.HasBase
	d.AvailableAt = other.AvailableAt

	return at && d == other
}

// UsageOf gives what the accounts of tiers and caps stand at when these decisions are all there
// are. What was rejected counts for nothing.
func UsageOf(decisions []Decision, rules *rule.Set, rejected map[string]bool) map[UsageKey]Usage {
	books := NewBooks(len(decisions))
	for _, reversals := range []bool{false, true} {
		for _, d := range decisions {
			if d.Event.Type().Reverses() == reversals && !rejected[d.Root()] {
				books.Record(d, rules)
			}
		}
	}

	return books.Changes()
}
