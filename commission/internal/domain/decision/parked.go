package decision

import (
	"iter"
	"slices"

	"tributary/commission/internal/domain/event"
)

// park notes a reversal that waits for its original.
func (a *Accounts) park(e event.Event) {
	snapshot := e.Snapshot()
	if snapshot.OriginalID != "" {
		named := Ref{snapshot.UserID, snapshot.OriginalID}
		a.parked[named] = with(a.parked[named], e)

		return
	}

	known := a.orderOf(snapshot.Order())
	known.parked = with(known.parked, e)
}

// with appends an event unless events contains it.
func with(events []event.Event, e event.Event) []event.Event {
	if slices.ContainsFunc(events, func(x event.Event) bool { return x.ID() == e.ID() }) {
		return events
	}

	return append(events, e)
}

// pending yields the events without a decision, in their order, and after each the reversals that
// waited for it. The bool reports whether the event was parked. The decision about an event must be
// recorded before the next event is requested.
func (a *Accounts) pending(events []event.Event) iter.Seq2[event.Event, bool] {
	return func(yield func(event.Event, bool) bool) {
		for _, e := range events {
			if a.Decided(e.ID()) {
				continue
			}

			if !yield(e, false) {
				return
			}

			for _, parked := range a.released(e) {
				if !yield(parked, true) {
					return
				}
			}
		}
	}
}

// released takes out the parked reversals whose original is now known, in the order in which they
// occurred.
func (a *Accounts) released(arrived event.Event) []event.Event {
	if !a.events[arrived.ID()].parkedLoaded && !a.whole {
		a.missing("the parked reversals of event %s", arrived.ID())
	}

	var out []event.Event
	a.release(Ref{arrived.UserID(), arrived.ID()}, &out)

	number := arrived.Snapshot().Order()
	if !arrived.Type().Sells() || number.Number == "" {
		return chronological(out)
	}

	o := a.orderRead(number)
	if !o.parkedLoaded && !a.whole {
		a.missing("the parked reversals of order %s of user %s", number.Number, number.UserID)
	}

	o.parked = a.stillParked(o.parked, &out)

	// those that name another sale of the order wait only in this run, for the sale that took it
	for _, sale := range o.sales {
		a.release(Ref{sale.UserID(), sale.ID()}, &out)
	}

	return chronological(out)
}

// release moves the reversals that name the event, and whose original is known, into out.
func (a *Accounts) release(named Ref, out *[]event.Event) {
	if parked, ok := a.parked[named]; ok {
		a.parked[named] = a.stillParked(parked, out)
	}
}

// stillParked moves those whose original is known into out and returns the others.
func (a *Accounts) stillParked(parked []event.Event, out *[]event.Event) []event.Event {
	var rest []event.Event
	for _, e := range parked {
		if a.originalOf(e.Snapshot()) != nil {
			*out = append(*out, e)
		} else {
			rest = append(rest, e)
		}
	}

	return rest
}

func chronological(events []event.Event) []event.Event {
	slices.SortFunc(events, Chronological)
	return events
}
