package decision

import (
	"tributary/commission/internal/domain/event"
	"tributary/commission/internal/domain/rule"
	"tributary/platform/money"
)

// Ref names an event of a user: events refer to those of their own user only.
type Ref struct{ UserID, ID string }

// Required is what has to be loaded for the decisions about a batch of events, beside the rules and
// what RequiredUsage returns.
type Required struct {
	// of the batch: whether each has a decision, and the parked reversals that name it
	Events []Ref
	// named by reversals: each event, and the sale that took its order
	Originals []Ref
	Orders    []event.Order // the sales of each
	Sold      []event.Order // the parked reversals that name each
}

// Require returns what the decisions about the events depend on.
func Require(events []event.Event) Required {
	r := Required{Events: make([]Ref, len(events))}
	for i, e := range events {
		snapshot := e.Snapshot()
		r.Events[i] = Ref{snapshot.UserID, snapshot.ID}

		if snapshot.Type.Reverses() && snapshot.OriginalID != "" {
			r.Originals = append(r.Originals, Ref{snapshot.UserID, snapshot.OriginalID})
			continue
		}

		number := snapshot.Order()
		if number.Number == "" {
			continue
		}

		r.Orders = append(r.Orders, number)
		if snapshot.Type.Sells() {
			r.Sold = append(r.Sold, number)
		}
	}

	return r
}

// LoadDecided adds which of the required events have a decision.
func (a *Accounts) LoadDecided(r Required, ids []string) {
	for _, e := range r.Events {
		a.events[e.ID] = arrival{decidedLoaded: true}
	}

	for _, id := range ids {
		a.events[id] = arrival{decidedLoaded: true, decided: true}
	}
}

// LoadOriginals adds the required events, and the sales of the required orders, in their current
// state. Those that are not found have not arrived.
func (a *Accounts) LoadOriginals(r Required, found []Original) {
	for _, named := range r.Originals {
		a.originals[named] = nil
	}

	for _, number := range r.Orders {
		a.orderOf(number).loaded = true
	}

	for i := range found {
		a.addOriginal(&found[i])
	}
}

// LoadParked adds the reversals that wait for the required events and orders, after LoadDecided.
func (a *Accounts) LoadParked(r Required, found []event.Event) {
	for _, e := range r.Events {
		known := a.events[e.ID]
		known.parkedLoaded = true
		a.events[e.ID] = known
	}

	for _, number := range r.Sold {
		a.orderOf(number).parkedLoaded = true
	}

	for _, e := range found {
		a.park(e)
	}
}

// LoadUsage adds the state of an account. One that nothing was added to stands at zero.
func (a *Accounts) LoadUsage(key UsageKey, usage Usage) { a.usage[key] = usage }

// RequiredUsage returns the accounts of tiers and caps to load for the decisions about the events:
// those of the events, and those of the loaded originals.
func (a *Accounts) RequiredUsage(
	events []event.Event,
	rules *rule.Set,
) map[UsageKey]UsageSpan {
	keys := map[UsageKey]UsageSpan{}
	for _, e := range events {
		snapshot := e.Snapshot()
		if snapshot.Type.Reverses() {
			continue
		}

		currency := money.USD()
		if snapshot.Currency != "" {
			named, err := parseCurrency(snapshot)
			if err != nil {
				continue
			}

			currency = named
		}

		if applied, found, _ := rules.Select(e, currency); found {
			addSpans(keys, Decision{Event: e, Rule: applied.Ref(), Currency: currency}, rules)
		}
	}

	for _, o := range a.originals {
		if o != nil {
			addSpans(keys, o.Decision, rules)
		}
	}

	return keys
}
