package decision

import (
	"slices"

	"tributary/commission/internal/domain/event"
	"tributary/commission/internal/domain/rule"
)

// Manual is what operators decided, by event.
type Manual struct {
	Rejected map[string]bool // their commission was rejected
	// the sales that keep their order, since the commission for it was rejected or is held
	Keeps map[string]bool
}

// Run decides a history from nothing, in the order in which the events occurred, whatever the order
// in which they are given; events that come twice count once. It is what replay and what-if compare
// with. What operators decided stands: what was rejected brings nothing, and no other sale takes an
// order that was rejected or is held.
func Run(events []event.Event, rules *rule.Set, manual Manual) []Decision {
	events = slices.Clone(events)
	slices.SortFunc(events, Chronological)

	var keeps []event.Event
	for _, e := range events {
		if manual.Keeps[e.ID()] {
			keeps = append(keeps, e)
		}
	}

	return newCourse(rules, manual.Rejected, keeps, len(events)).run(events)
}

// RunInOrder decides the events in the given order, as consumption does. The commissions of
// rejected events are rejected as soon as they are created.
func RunInOrder(events []event.Event, rules *rule.Set, rejected map[string]bool) []Decision {
	return newCourse(rules, rejected, nil, len(events)).run(events)
}

func (c *Course) run(events []event.Event) []Decision {
	final := make(map[string]int, len(events))

	out := make([]Decision, 0, len(events))
	for d, waited := range c.decide(events) {
		if waited {
			out[final[d.Event.ID()]] = d
			continue
		}

		final[d.Event.ID()] = len(out)
		out = append(out, d)
	}

	return out
}

// OriginalEventID returns the event to which the money of a decision belongs: for a reversal, the
// event that it reverses.
func (d Decision) OriginalEventID() string {
	if d.Event.Type().Reverses() && d.OriginalID != "" {
		return d.OriginalID
	}

	return d.Event.ID()
}

// Same reports whether two decisions about an event are equal, apart from the revision of the rules
// that they considered.
func (d Decision) Same(other Decision) bool {
	at := d.AvailableAt.Equal(other.AvailableAt)
	d.Event = other.Event
	d.Revision = other.Revision
	d.HasBase = other.HasBase
	d.AvailableAt = other.AvailableAt

	return at && d == other
}

// UsageOf returns the state of the accounts of tiers and caps if these are all decisions. Rejected
// commissions do not count.
func UsageOf(decisions []Decision, rules *rule.Set, rejected map[string]bool) map[UsageKey]Usage {
	tally := NewTally(rules, rejected, &Ties{})
	for _, d := range decisions {
		tally.Add(d)
	}

	return tally.Usage()
}
