package decision

import (
	"cmp"
	"iter"
	"slices"

	"tributary/commission/internal/domain/event"
	"tributary/commission/internal/domain/rule"
	"tributary/platform/money"
)

// Books is the state of the accounts that a run of events meets: what was loaded, and what the run
// itself decided so far. It is for one goroutine.
type Books struct {
	decided   map[string]struct{}
	originals map[ref]*Original
	orders    map[ref]*order
	parked    map[string]map[string]event.Event
	usage     map[UsageKey]Usage
	deltas    map[UsageKey]Usage
}

// ref is an event or an order of a user: nobody refers to what belongs to others.
type ref struct{ userID, id string }

// order is what is known of an order: the sale that a reversal of it takes back, and the event that
// earned for it.
type order struct {
	sale   string
	earner string
}

// NewBooks makes empty books with room for so many events.
func NewBooks(events int) *Books {
	return &Books{
		decided:   make(map[string]struct{}, events),
		originals: make(map[ref]*Original, events),
		orders:    map[ref]*order{},
		parked:    map[string]map[string]event.Event{},
		usage:     map[UsageKey]Usage{},
		deltas:    map[UsageKey]Usage{},
	}
}

// LoadDecided notes that the event has its decision.
func (b *Books) LoadDecided(eventID string) { b.decided[eventID] = struct{}{} }

// LoadOriginal adds an event that reversals may take back, as it stands.
func (b *Books) LoadOriginal(o Original) { b.addOriginal(&o) }

// LoadParked adds a reversal that waits for its original.
func (b *Books) LoadParked(e event.Event) { b.park(e) }

// LoadUsage adds what an account stands at.
func (b *Books) LoadUsage(key UsageKey, usage Usage) { b.usage[key] = usage }

// Reject notes that the commission of a loaded event was rejected by hand.
func (b *Books) Reject(e event.Event) {
	if o := b.originals[ref{e.UserID(), e.ID()}]; o != nil {
		o.Rejected = true
	}
}

// Decided tells whether the event has a decision.
func (b *Books) Decided(eventID string) bool {
	_, ok := b.decided[eventID]
	return ok
}

// Account gives the state that the decision about the event depends on.
func (b *Books) Account(e event.Event) Account {
	account := Account{Usage: b.usage}

	facts := e.Facts()
	if facts.Type.Reverses() {
		account.Original = b.originalOf(facts)
	} else if o := b.orders[ref{facts.UserID, facts.OrderID}]; o != nil && facts.OrderID != "" && facts.Type.Sells() {
		account.OrderTaken = o.earner
	}

	return account
}

func (b *Books) originalOf(facts event.Facts) *Original {
	if facts.OriginalID != "" {
		return b.originals[ref{facts.UserID, facts.OriginalID}]
	}

	if o := b.orders[ref{facts.UserID, facts.OrderID}]; o != nil && facts.OrderID != "" {
		return b.originals[ref{facts.UserID, o.sale}]
	}

	return nil
}

// Record takes a decision into the books.
func (b *Books) Record(d Decision, rules *rule.Set) {
	b.decided[d.Event.ID()] = struct{}{}
	switch {
	case d.Outcome == Parked:
		b.park(d.Event)
	case d.Event.Type().Reverses():
		delete(b.parked[d.Event.UserID()], d.Event.ID())
		b.recordReversal(d, rules)
		b.addOriginal(&Original{Decision: d})
	default:
		b.addOriginal(&Original{Decision: d})
		b.recordEarning(d, rules)
	}
}

func (b *Books) addOriginal(o *Original) {
	facts := o.Decision.Event.Facts()

	b.originals[ref{facts.UserID, facts.ID}] = o
	if facts.OrderID == "" || !facts.Type.Sells() {
		return
	}

	key := ref{facts.UserID, facts.OrderID}

	known := b.orders[key]
	if known == nil {
		known = &order{sale: facts.ID}
		b.orders[key] = known
	}

	switch {
	case o.Decision.Earned():
		known.sale, known.earner = facts.ID, facts.ID
	case o.Booked && known.earner == "":
		known.earner = facts.ID
	}
}

func (b *Books) park(e event.Event) {
	waiting := b.parked[e.UserID()]
	if waiting == nil {
		waiting = map[string]event.Event{}
		b.parked[e.UserID()] = waiting
	}

	waiting[e.ID()] = e
}

// Undecided gives the events that have no decision, in their order, and after each the reversals
// that waited for it, which are told by true. The decision about an event has to be recorded before
// the next one is asked for.
func (b *Books) Undecided(events []event.Event) iter.Seq2[event.Event, bool] {
	return func(yield func(event.Event, bool) bool) {
		for _, e := range events {
			if b.Decided(e.ID()) {
				continue
			}

			if !yield(e, false) {
				return
			}

			if e.Type().Reverses() {
				continue
			}

			for _, parked := range b.waiting(e) {
				if !yield(parked, true) {
					return
				}
			}
		}
	}
}

// waiting gives the parked reversals whose original is now known, in the order in which they
// occurred.
func (b *Books) waiting(arrived event.Event) []event.Event {
	var out []event.Event
	for _, e := range b.parked[arrived.UserID()] {
		if b.originalOf(e.Facts()) != nil {
			out = append(out, e)
		}
	}

	slices.SortFunc(out, Chronological)

	return out
}

// Chronological orders events by time of occurrence, then by id: the order in which replay decides.
func Chronological(x, y event.Event) int {
	return cmp.Or(x.OccurredAt().Compare(y.OccurredAt()), cmp.Compare(x.ID(), y.ID()))
}

func (b *Books) recordEarning(d Decision, rules *rule.Set) {
	applied, ok := rules.Find(d.Rule)
	if !ok || d.Reason == BelowMinimum || d.Reason == AmountOutOfRange {
		return
	}

	b.add(d, applied, Usage{Volume: d.Base.Minor(), Earned: d.Amount.Minor()})
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
	b.add(original.Decision, applied, Usage{Volume: volume, Earned: d.Amount.Minor()})
}

// Release takes what is left of an earning out of the accounts of tiers and caps: what is rejected
// counts for nothing.
func (b *Books) Release(e event.Event, rules *rule.Set) {
	o := b.originals[ref{e.UserID(), e.ID()}]
	if o == nil {
		return
	}

	applied, ok := rules.Find(o.Decision.Rule)
	if !ok {
		return
	}

	remaining, earned := o.Decision.Base.Minor()-o.Reversed, int64(0)
	if remaining > 0 || o.Times == 0 {
		left, err := applied.Commission(o.input(remaining))
		if err != nil {
			return // then nothing came into the accounts
		}

		earned = left.Result.Minor()
	}

	b.add(o.Decision, applied, Usage{Volume: -rewarded(applied, remaining), Earned: -earned})
}

// rewarded is how much of a base counts as volume: less than the rule's minimum counts for nothing.
func rewarded(applied rule.Rule, base int64) int64 {
	if base < applied.Definition().MinimumBase {
		return 0
	}

	return base
}

// add books a change in the periods of the earning, of which tiers and cap may share one.
func (b *Books) add(earning Decision, applied rule.Rule, change Usage) {
	for _, key := range UsageKeys(earning.Event, applied, earning.Currency) {
		b.usage[key] = sum(b.usage[key], change)
		b.deltas[key] = sum(b.deltas[key], change)
	}
}

func sum(a, b Usage) Usage {
	return Usage{Volume: a.Volume + b.Volume, Earned: a.Earned + b.Earned}
}

// UsageKeys names the accounts that an event moves when the rule applies to it: none without tiers
// and cap.
func UsageKeys(e event.Event, applied rule.Rule, currency money.Currency) []UsageKey {
	key := UsageKey{UserID: e.UserID(), RuleID: applied.ID(), Currency: currency}

	var keys []UsageKey

	tier, limit := applied.TierKey(e.OccurredAt()), applied.CapKey(e.OccurredAt())
	if tier != "" {
		key.Period = tier
		keys = append(keys, key)
	}

	if limit != "" && limit != tier {
		key.Period = limit
		keys = append(keys, key)
	}

	return keys
}

// Changes gives what the run added to accounts of usage.
func (b *Books) Changes() map[UsageKey]Usage { return b.deltas }
