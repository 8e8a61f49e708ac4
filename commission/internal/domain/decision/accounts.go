package decision

import (
	"cmp"
	"fmt"
	"slices"

	"tributary/commission/internal/domain/event"
	"tributary/commission/internal/domain/rule"
)

// Accounts is the state that a run of events depends on: what was loaded, and what the run has
// decided so far. Reading what was not loaded is an error, since it may stand at anything; the
// accounts of a whole history start empty instead. Accounts is for one goroutine.
type Accounts struct {
	whole     bool // all that ever happened is in this run
	events    map[string]arrival
	originals map[Ref]*Original
	orders    map[event.Order]*order
	parked    map[Ref][]event.Event // by the event that they name
	usage     map[UsageKey]Usage
	deltas    map[UsageKey]Usage
	thaw      func(Ref) *Original // of a course: one that it has put away, or nil
	unloaded  error               // the first read of something that was not loaded
}

// arrival is what is known of an event of the run.
type arrival struct {
	decided, decidedLoaded bool
	parkedLoaded           bool // the reversals that name the event
}

type order struct {
	sales  []event.Event // its events, whether or not they earned
	parked []event.Event // reversals that name the order
	taker  string        // the sale that took it, "" as long as a rule applied to none
	// the taker is the one that has a commission, although no rule applies to it by now
	formerly bool

	loaded, parkedLoaded bool
}

// NewAccounts returns accounts with nothing loaded, with room for a number of events.
func NewAccounts(events int) *Accounts {
	return &Accounts{
		events:    make(map[string]arrival, events),
		originals: make(map[Ref]*Original, events),
		orders:    map[event.Order]*order{},
		parked:    map[Ref][]event.Event{},
		usage:     map[UsageKey]Usage{},
		deltas:    map[UsageKey]Usage{},
	}
}

// ofHistory returns the accounts of a history that starts from nothing.
func ofHistory(events int) *Accounts {
	a := NewAccounts(events)
	a.whole = true

	return a
}

// Reject records that the commission of a loaded event was rejected by an operator.
func (a *Accounts) Reject(earned Ref) {
	if o := a.known(earned); o != nil {
		o.Rejected = true
	}
}

// Decided reports whether the event has a decision.
func (a *Accounts) Decided(eventID string) bool {
	e := a.events[eventID]
	if !e.decidedLoaded && !a.whole {
		a.missing("whether event %s has a decision", eventID)
	}

	return e.decided
}

// keep has the order of a sale taken by it, whichever sale of the order is decided first.
func (a *Accounts) keep(e event.Event) {
	if number := e.Snapshot().Order(); number.Number != "" {
		a.orderOf(number).taker = e.ID()
	}
}

func (a *Accounts) orderOf(number event.Order) *order {
	known := a.orders[number]
	if known == nil {
		known = &order{}
		a.orders[number] = known
	}

	return known
}

// account returns the state that the decision about the event depends on.
func (a *Accounts) account(e event.Event) Account {
	account := Account{accounts: a}

	snapshot := e.Snapshot()
	if snapshot.Type.Reverses() {
		account.Original = a.originalOf(snapshot)
		return account
	}

	if number := snapshot.Order(); number.Number != "" {
		if taker := a.orderRead(number).taker; taker != snapshot.ID {
			account.OrderTaken = taker
		}
	}

	return account
}

// orderRead returns the order with all its sales.
func (a *Accounts) orderRead(number event.Order) *order {
	o := a.orderOf(number)
	if !o.loaded && !a.whole {
		a.missing("the sales of order %s of user %s", number.Number, number.UserID)
	}

	return o
}

// original returns the event, or nil if it has not arrived.
func (a *Accounts) original(named Ref) *Original {
	if _, loaded := a.originals[named]; !loaded && !a.whole {
		a.missing("event %s of user %s", named.ID, named.UserID)
	}

	return a.known(named)
}

// known returns the event if it is loaded or decided, or nil.
func (a *Accounts) known(named Ref) *Original {
	o := a.originals[named]
	if o == nil && a.thaw != nil {
		if o = a.thaw(named); o != nil {
			a.originals[named] = o
		}
	}

	return o
}

// missing notes a read of what was not loaded.
func (a *Accounts) missing(format string, args ...any) {
	if a.unloaded == nil {
		a.unloaded = fmt.Errorf("not loaded: "+format, args...)
	}
}

// originalOf returns the event that a reversal reverses. If the named event repeats an order, the
// original is the sale that took the order. If an order is named, it is that sale too, or while the
// order is not taken, the sale that occurred first.
func (a *Accounts) originalOf(snapshot event.Snapshot) *Original {
	if snapshot.OriginalID != "" {
		named := a.original(Ref{snapshot.UserID, snapshot.OriginalID})
		if named != nil && named.Decision.Reason == DuplicateOrder {
			return a.original(Ref{snapshot.UserID, named.Decision.OrderTakenBy})
		}

		return named
	}

	if snapshot.OrderID == "" {
		return nil
	}

	o := a.orderRead(snapshot.Order())
	switch {
	case o.taker != "":
		return a.original(Ref{snapshot.UserID, o.taker})
	case len(o.sales) == 0:
		return nil
	}

	return a.original(Ref{snapshot.UserID, slices.MinFunc(o.sales, Chronological).ID()})
}

// Decide decides the events without a decision, in their order, and after each the reversals that
// waited for it. It calls fn with each decision; waited reports whether the event was parked
// before. An error of fn ends the run. A decision that depends on what was not loaded is an error:
// fn is not called with it.
func (a *Accounts) Decide(
	events []event.Event,
	rules *rule.Set,
	fn func(d Decision, waited bool) error,
) error {
	for e, waited := range a.pending(events) {
		d := Decide(e, rules, a.account(e))
		a.record(d, rules)

		if a.unloaded != nil {
			break
		}

		if err := fn(d, waited); err != nil {
			return err
		}
	}

	return a.unloaded
}

func (a *Accounts) record(d Decision, rules *rule.Set) {
	known := a.events[d.Event.ID()]
	known.decided = true
	a.events[d.Event.ID()] = known

	switch {
	case d.Outcome == Parked:
		a.park(d.Event)
	case d.Event.Type().Reverses():
		a.recordReversal(d, rules)
	default:
		a.recordEarning(d, rules)
	}

	a.addOriginal(&Original{Decision: d})
}

func (a *Accounts) addOriginal(o *Original) {
	e := o.Decision.Event
	a.originals[Ref{e.UserID(), e.ID()}] = o

	number := e.Snapshot().Order()
	if !e.Type().Sells() || number.Number == "" {
		return
	}

	known := a.orderOf(number)
	known.sales = append(known.sales, e)

	switch {
	case o.Decision.Applied() && (known.taker == "" || known.formerly):
		known.taker, known.formerly = e.ID(), false
	case o.HasCommission && known.taker == "":
		known.taker, known.formerly = e.ID(), true
	}
}

// Chronological orders events by time of occurrence, then by id. A replay decides in this order.
func Chronological(x, y event.Event) int {
	return cmp.Or(x.OccurredAt().Compare(y.OccurredAt()), cmp.Compare(x.ID(), y.ID()))
}

func (a *Accounts) recordEarning(d Decision, rules *rule.Set) {
	if !d.Applied() || d.Reason == BelowMinimum || d.Reason == AmountOutOfRange {
		return
	}

	a.add(d, rules, Usage{Volume: d.Base.Minor(), Earned: d.Amount.Minor()})
}

func (a *Accounts) recordReversal(d Decision, rules *rule.Set) {
	if !d.Counts() {
		return
	}

	original := a.known(Ref{d.Event.UserID(), d.OriginalID})

	applied, ok := rules.Find(d.Rule)
	if original == nil || !ok {
		return
	}

	before := original.Decision.Base.Minor() - original.Reversed
	original.Reversed += d.Base.Minor()
	original.Times++
	volume := rewarded(applied, before-d.Base.Minor()) - rewarded(applied, before)
	a.add(original.Decision, rules, Usage{Volume: volume, Earned: d.Amount.Minor()})
}
