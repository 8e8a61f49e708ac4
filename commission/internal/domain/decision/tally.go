package decision

import (
	"time"

	"tributary/commission/internal/domain/event"
	"tributary/commission/internal/domain/rule"
	"tributary/platform/money"
)

// Tally adds up the accounts of tiers and caps from the decisions of one user, in any order.
// Rejected commissions do not count. Of an earning that reversals may follow it keeps little, of
// any other decision nothing.
type Tally struct {
	rules    *rule.Set
	rejected map[string]bool
	ties     *Ties
	earned   []counted          // by the number of the tie
	others   map[string]counted // without one
	versions versions
	waiting  map[string][]Decision // reversals, by the event that they reverse
	usage    map[UsageKey]Usage
}

// counted is what is left of an earning.
type counted struct {
	at       int64 // microseconds
	base     int64
	row      int32 // of the rule
	currency money.Currency
	known    bool
}

// NewTally returns a tally of nothing.
func NewTally(rules *rule.Set, rejected map[string]bool, ties *Ties) *Tally {
	return &Tally{
		ties:     ties,
		earned:   make([]counted, ties.Len()),
		others:   map[string]counted{},
		rules:    rules,
		rejected: rejected,
		waiting:  map[string][]Decision{},
		usage:    map[UsageKey]Usage{},
	}
}

// Add adds a decision.
func (t *Tally) Add(d Decision) {
	switch {
	case t.rejected[d.OriginalEventID()]:
	case d.Event.Type().Reverses():
		if d.Counts() {
			t.reverse(d)
		}
	default:
		t.earn(d)
	}
}

// Forget notes that no reversal of the event follows.
func (t *Tally) Forget(eventID string) {
	if number, tied := t.ties.Number(TieOf(eventID)); tied {
		t.earned[number] = counted{}
	} else {
		delete(t.others, eventID)
	}
}

// of returns what is left of an earning, if it was added.
func (t *Tally) of(eventID string) (counted, bool) {
	if number, tied := t.ties.Number(TieOf(eventID)); tied {
		return t.earned[number], t.earned[number].known
	}

	found, known := t.others[eventID]

	return found, known
}

func (t *Tally) set(eventID string, left counted) {
	if number, tied := t.ties.Number(TieOf(eventID)); tied {
		t.earned[number] = left
	} else {
		t.others[eventID] = left
	}
}

// Usage returns the accounts.
func (t *Tally) Usage() map[UsageKey]Usage { return t.usage }

func (t *Tally) earn(d Decision) {
	if d.Applied() && d.Reason != BelowMinimum && d.Reason != AmountOutOfRange {
		t.add(d, Usage{Volume: d.Base.Minor(), Earned: d.Amount.Minor()})
	}

	t.set(d.Event.ID(), counted{
		at:       d.Event.OccurredAt().UnixMicro(),
		base:     d.Base.Minor(),
		row:      t.versions.row(d.Rule),
		currency: d.Currency,
		known:    true,
	})

	for _, waiting := range t.waiting[d.Event.ID()] {
		t.reverse(waiting)
	}

	delete(t.waiting, d.Event.ID())
}

func (t *Tally) reverse(d Decision) {
	original, known := t.of(d.OriginalID)
	if !known {
		t.waiting[d.OriginalID] = append(t.waiting[d.OriginalID], d)
		return
	}

	applied, found := t.rules.Find(d.Rule)
	if !found {
		return
	}

	before := original.base
	original.base -= d.Base.Minor()
	t.set(d.OriginalID, original)

	earning := Decision{
		Event: event.Restore(event.Snapshot{
			UserID:     d.Event.UserID(),
			OccurredAt: time.UnixMicro(original.at).UTC(),
		}),
		Rule:     t.versions.refs[original.row],
		Currency: original.currency,
	}
	t.add(earning, Usage{
		Volume: rewarded(applied, original.base) - rewarded(applied, before),
		Earned: d.Amount.Minor(),
	})
}

func (t *Tally) add(earning Decision, change Usage) {
	for _, key := range UsageKeys(earning, t.rules) {
		t.usage[key] = sum(t.usage[key], change)
	}
}
