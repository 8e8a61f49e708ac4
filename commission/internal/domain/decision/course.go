package decision

import (
	"iter"
	"slices"

	"tributary/commission/internal/domain/event"
	"tributary/commission/internal/domain/rule"
	"tributary/contracts/eventtype"
)

// Course decides the history of one user as Run does, event by event. It keeps what later events
// may depend on and nothing else: the accounts of tiers and caps, and of the other events those
// with a tie of which events are still to come. Course is for one goroutine.
type Course struct {
	accounts *Accounts
	rules    *rule.Set
	rejected map[string]bool
	ties     *Ties
	decided  []event.Event // in this turn
	warm     []Ref         // those, and what they needed
	forgot   func(eventID string)
	kinds    []eventtype.Type
	versions versions
}

// NewCourse returns a course at its beginning. keeps are the sales that keep their order, in the
// order in which they occurred; ties are those of the history.
func NewCourse(rules *rule.Set, rejected map[string]bool, keeps []event.Event, ties *Ties) *Course {
	c := newCourse(rules, rejected, keeps, 0)
	c.ties = ties
	c.kinds = eventtype.All()

	if len(ties.frozen) < ties.Len() {
		ties.frozen = make([]frozen, ties.Len())
	}

	c.accounts.thaw = c.thaw
	c.forgot = func(string) {}

	return c
}

// newCourse returns a course that keeps everything, with room for a number of events.
func newCourse(
	rules *rule.Set,
	rejected map[string]bool,
	keeps []event.Event,
	room int,
) *Course {
	c := &Course{
		accounts: ofHistory(room),
		rules:    rules,
		rejected: rejected,
	}
	for _, e := range keeps {
		c.accounts.keep(e)
	}

	return c
}

// Decide yields the decision about the next event in the order in which they occurred, each once,
// and then those about the reversals that were parked until it came. The bool reports whether the
// event was parked: the decision takes the place of that one.
func (c *Course) Decide(e event.Event) iter.Seq2[Decision, bool] {
	return func(yield func(Decision, bool) bool) {
		c.ties.see(e.Snapshot())
		c.decided = c.decided[:0]
		c.warm = c.warm[:0]

		for d, waited := range c.decide([]event.Event{e}) {
			c.decided = append(c.decided, d.Event)
			c.warm = append(c.warm, Ref{d.Event.UserID(), d.Event.ID()})

			if !yield(d, waited) {
				return
			}
		}

		for _, decided := range c.decided {
			delete(c.accounts.events, decided.ID()) // none comes twice
			c.forget(decided)
		}

		c.freeze()
	}
}

// decide yields the decisions about the events, in their order.
func (c *Course) decide(events []event.Event) iter.Seq2[Decision, bool] {
	return func(yield func(Decision, bool) bool) {
		for e, waited := range c.accounts.pending(events) {
			d := Decide(e, c.rules, c.accounts.account(e))
			c.accounts.record(d, c.rules)

			if c.rejected[e.ID()] {
				c.accounts.Reject(Ref{e.UserID(), e.ID()})
				c.accounts.releaseEarning(e, c.rules)
			}

			if !yield(d, waited) {
				return
			}
		}
	}
}

// OnForget has fn called with each event that no later one depends on, after its decision.
func (c *Course) OnForget(fn func(eventID string)) { c.forgot = fn }

// Original returns the event that a reversal reverses, as long as Decide is at its decision.
func (c *Course) Original(d Decision) (event.Event, bool) {
	o := c.accounts.known(Ref{d.Event.UserID(), d.OriginalID})
	if o == nil {
		return event.Event{}, false
	}

	return o.Decision.Event, true
}

// forget removes what no later event depends on, now that the event is decided.
func (c *Course) forget(e event.Event) {
	snapshot := e.Snapshot()
	c.forgetEvent(e.UserID(), e.ID())

	if !snapshot.Type.Reverses() {
		return
	}

	if snapshot.OriginalID != "" {
		c.forgetEvent(snapshot.UserID, snapshot.OriginalID)
	} else if number := snapshot.Order(); number.Number != "" {
		c.forgetOrder(number)
	}
}

func (c *Course) forgetEvent(userID, id string) {
	known := c.accounts.known(Ref{userID, id})

	if known != nil && known.Decision.Event.Type().Sells() {
		number := known.Decision.Event.Snapshot().Order()
		if _, tied := c.ties.Number(TieOfOrder(number)); tied {
			c.forgetOrder(number)
			return
		}

		delete(c.accounts.orders, number) // nothing else names it
	}

	if !c.ties.open(TieOf(id)) {
		c.remove(Ref{userID, id})
	}
}

// forgetOrder removes an order with its sales: each may be named by the reversal of another one.
func (c *Course) forgetOrder(number event.Order) {
	known := c.accounts.orders[number]
	if known == nil || c.ties.open(TieOfOrder(number)) || slices.ContainsFunc(
		known.sales,
		func(sale event.Event) bool { return c.ties.open(TieOf(sale.ID())) },
	) {
		return
	}

	for _, sale := range known.sales {
		c.remove(Ref{sale.UserID(), sale.ID()})
	}

	delete(c.accounts.orders, number)
}

func (c *Course) remove(known Ref) {
	delete(c.accounts.originals, known)
	delete(c.accounts.parked, known)
	c.forgot(known.ID)

	if number, tied := c.ties.Number(TieOf(known.ID)); tied {
		c.ties.frozen[number] = frozen{}
	}
}
