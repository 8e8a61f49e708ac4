package decision

import (
	"cmp"
	"iter"
	"slices"

	"tributary/commission/internal/domain/event"
	"tributary/commission/internal/domain/rule"
	"tributary/platform/money"
)

// Books is the state of the accounts for a run of events: what was loaded, and what the run has
// decided so far. It is for one goroutine.
type Books struct {
	decided   map[string]struct{}
	originals map[ref]*Original
	orders    map[event.Order]*order
	parked    map[ref][]event.Event         // by the event that they name
	returned  map[event.Order][]event.Event // parked as well, by the order that they name
	usage     map[UsageKey]Usage
	deltas    map[UsageKey]Usage
}

// ref is an event of a user: events refer to those of their own user only.
type ref struct{ userID, id string }

// order is the state of an order.
type order struct {
	sales []event.Event // its tellings, whether or not they earned
	taker string        // the sale that took it, "" as long as a rule applied to none
	// the taker is the one that has a commission, although no rule applies to it by now
	formerly bool
}

// NewBooks returns empty books with room for a number of events.
func NewBooks(events int) *Books {
	return &Books{
		decided:   make(map[string]struct{}, events),
		originals: make(map[ref]*Original, events),
		orders:    map[event.Order]*order{},
		parked:    map[ref][]event.Event{},
		returned:  map[event.Order][]event.Event{},
		usage:     map[UsageKey]Usage{},
		deltas:    map[UsageKey]Usage{},
	}
}

// LoadDecided records that the event has a decision.
func (b *Books) LoadDecided(eventID string) { b.decided[eventID] = struct{}{} }

// LoadOriginal adds an event, in its current state, that reversals may reverse.
func (b *Books) LoadOriginal(o Original) { b.addOriginal(&o) }

// LoadParked adds a reversal that waits for its original.
func (b *Books) LoadParked(e event.Event) { b.park(e) }

// LoadUsage adds the state of an account.
func (b *Books) LoadUsage(key UsageKey, usage Usage) { b.usage[key] = usage }

// Reject records that the commission of a loaded event was rejected by an operator.
func (b *Books) Reject(e event.Event) {
	if o := b.originals[ref{e.UserID(), e.ID()}]; o != nil {
		o.Rejected = true
	}
}

// Decided reports whether the event has a decision.
func (b *Books) Decided(eventID string) bool {
	_, ok := b.decided[eventID]
	return ok
}

// Keep has the order of a sale taken by it, whichever sale of the order is decided first.
func (b *Books) Keep(e event.Event) {
	if number := e.Facts().Order(); number.Number != "" {
		b.orderOf(number).taker = e.ID()
	}
}

func (b *Books) orderOf(number event.Order) *order {
	known := b.orders[number]
	if known == nil {
		known = &order{}
		b.orders[number] = known
	}

	return known
}

// Account returns the state that the decision about the event depends on.
func (b *Books) Account(e event.Event) Account {
	account := Account{Usage: b.usage}

	facts := e.Facts()
	if facts.Type.Reverses() {
		account.Original = b.originalOf(facts)
		return account
	}

	if number := facts.Order(); number.Number != "" {
		if o := b.orders[number]; o != nil && o.taker != facts.ID {
			account.OrderTaken = o.taker
		}
	}

	return account
}

// originalOf returns the event that a reversal reverses. If the named event repeats an order, the
// original is the sale that took the order. If an order is named, it is that sale too, or while the
// order is not taken, the sale that occurred first.
func (b *Books) originalOf(facts event.Facts) *Original {
	if facts.OriginalID != "" {
		named := b.originals[ref{facts.UserID, facts.OriginalID}]
		if named != nil && named.Decision.Reason == DuplicateOrder {
			return b.originals[ref{facts.UserID, named.Decision.OrderTakenBy}]
		}

		return named
	}

	o := b.orders[facts.Order()]
	if o == nil || facts.OrderID == "" {
		return nil
	}

	if o.taker != "" {
		return b.originals[ref{facts.UserID, o.taker}]
	}

	return b.originals[ref{facts.UserID, slices.MinFunc(o.sales, Chronological).ID()}]
}

// Record records a decision in the books.
func (b *Books) Record(d Decision, rules *rule.Set) {
	b.decided[d.Event.ID()] = struct{}{}
	switch {
	case d.Outcome == Parked:
		b.park(d.Event)
	case d.Event.Type().Reverses():
		b.recordReversal(d, rules)
	default:
		b.recordEarning(d, rules)
	}

	b.addOriginal(&Original{Decision: d})
}

func (b *Books) addOriginal(o *Original) {
	e := o.Decision.Event
	b.originals[ref{e.UserID(), e.ID()}] = o

	number := e.Facts().Order()
	if !e.Type().Sells() || number.Number == "" {
		return
	}

	known := b.orderOf(number)
	known.sales = append(known.sales, e)

	switch {
	case o.Decision.Applied() && (known.taker == "" || known.formerly):
		known.taker, known.formerly = e.ID(), false
	case o.Booked && known.taker == "":
		known.taker, known.formerly = e.ID(), true
	}
}

func (b *Books) park(e event.Event) {
	facts := e.Facts()
	if facts.OriginalID != "" {
		named := ref{facts.UserID, facts.OriginalID}
		b.parked[named] = with(b.parked[named], e)

		return
	}

	b.returned[facts.Order()] = with(b.returned[facts.Order()], e)
}

// with appends an event unless events contains it.
func with(events []event.Event, e event.Event) []event.Event {
	if slices.ContainsFunc(events, func(x event.Event) bool { return x.ID() == e.ID() }) {
		return events
	}

	return append(events, e)
}

// Undecided yields the events without a decision, in their order, and after each the reversals that
// waited for it. The bool reports whether the event was parked. The decision about an event must be
// recorded before the next event is requested.
func (b *Books) Undecided(events []event.Event) iter.Seq2[event.Event, bool] {
	return func(yield func(event.Event, bool) bool) {
		for _, e := range events {
			if b.Decided(e.ID()) {
				continue
			}

			if !yield(e, false) {
				return
			}

			for _, parked := range b.waiting(e) {
				if !yield(parked, true) {
					return
				}
			}
		}
	}
}

// waiting takes out the parked reversals whose original is now known, in the order in which they
// occurred.
func (b *Books) waiting(arrived event.Event) []event.Event {
	names := []ref{{arrived.UserID(), arrived.ID()}}

	var out []event.Event

	number := arrived.Facts().Order()
	if arrived.Type().Sells() && number.Number != "" {
		for _, sale := range b.orders[number].sales {
			if sale.ID() != arrived.ID() {
				names = append(names, ref{sale.UserID(), sale.ID()})
			}
		}

		b.returned[number] = b.release(b.returned[number], &out)
	}

	for _, name := range names {
		if parked, ok := b.parked[name]; ok {
			b.parked[name] = b.release(parked, &out)
		}
	}

	slices.SortFunc(out, Chronological)

	return out
}

// release moves those whose original is known into out and returns the others.
func (b *Books) release(parked []event.Event, out *[]event.Event) []event.Event {
	var rest []event.Event
	for _, e := range parked {
		if b.originalOf(e.Facts()) != nil {
			*out = append(*out, e)
		} else {
			rest = append(rest, e)
		}
	}

	return rest
}

// Chronological orders events by time of occurrence, then by id. A replay decides in this order.
func Chronological(x, y event.Event) int {
	return cmp.Or(x.OccurredAt().Compare(y.OccurredAt()), cmp.Compare(x.ID(), y.ID()))
}

func (b *Books) recordEarning(d Decision, rules *rule.Set) {
	if !d.Applied() || d.Reason == BelowMinimum || d.Reason == AmountOutOfRange {
		return
	}

	b.add(d, rules, Usage{Volume: d.Base.Minor(), Earned: d.Amount.Minor()})
}

func (b *Books) recordReversal(d Decision, rules *rule.Set) {
	if !d.Counts() {
		return
	}

	original := b.originals[ref{d.Event.UserID(), d.OriginalID}]

	applied, ok := rules.Find(d.Rule)
	if original == nil || !ok {
		return
	}

	before := original.Decision.Base.Minor() - original.Reversed
	original.Reversed += d.Base.Minor()
	original.Times++
	volume := rewarded(applied, before-d.Base.Minor()) - rewarded(applied, before)
	b.add(original.Decision, rules, Usage{Volume: volume, Earned: d.Amount.Minor()})
}

// Release removes the remainder of an earning from the accounts of tiers and caps: a rejected
// commission does not count.
func (b *Books) Release(e event.Event, rules *rule.Set) {
	o := b.originals[ref{e.UserID(), e.ID()}]
	if o == nil || o.Decision.Reason == AmountOutOfRange {
		return // nothing of it is in the accounts
	}

	applied, ok := rules.Find(o.Decision.Rule)
	if !ok {
		return
	}

	remaining, earned := o.Decision.Base.Minor()-o.Reversed, int64(0)
	if remaining > 0 || o.Times == 0 {
		left, err := applied.Commission(o.input(remaining))
		if err != nil {
			return // in that case nothing was added to the accounts
		}

		earned = left.Result.Minor()
	}

	b.add(o.Decision, rules, Usage{Volume: -rewarded(applied, remaining), Earned: -earned})
}

// rewarded returns the part of a base that counts as volume: a base below the rule's minimum does
// not count.
func rewarded(applied rule.Rule, base int64) int64 {
	if base < applied.Definition().MinimumBase {
		return 0
	}

	return base
}

// add books a change in the accounts of the earning.
func (b *Books) add(earning Decision, rules *rule.Set, change Usage) {
	for _, key := range UsageKeys(earning, rules) {
		b.usage[key] = sum(b.usage[key], change)
		b.deltas[key] = sum(b.deltas[key], change)
	}
}

func sum(a, b Usage) Usage {
	return Usage{
		Volume: money.AddSaturated(a.Volume, b.Volume),
		Earned: money.AddSaturated(a.Earned, b.Earned),
	}
}

// UsageKeys returns the accounts that a decision changes if its rule applies. There are none if no
// version of the rule has tiers or a cap.
func UsageKeys(d Decision, rules *rule.Set) []UsageKey {
	accounts := rules.Accounts(d.Rule.ID)
	if len(accounts) == 0 {
		return nil
	}

	keys := make([]UsageKey, len(accounts))
	for i, a := range accounts {
		keys[i] = d.usageKey(a.Period.Label(d.Event.OccurredAt()))
	}

	return keys
}

// Changes returns what the run added to accounts of usage.
func (b *Books) Changes() map[UsageKey]Usage { return b.deltas }
