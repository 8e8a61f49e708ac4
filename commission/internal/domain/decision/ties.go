package decision

import (
	"crypto/sha256"

	"tributary/commission/internal/domain/event"
)

// Tie stands for an event, or for an order, that several events of a user refer to: a part of its
// SHA-256, since there may be many.
type Tie [16]byte

// TieOf returns the tie of an event.
func TieOf(eventID string) Tie { return tie("event", eventID) }

// TieOfOrder returns the tie of an order.
func TieOfOrder(number event.Order) Tie { return tie("order", number.CampaignID+"\x00"+number.Number) }

func tie(kind, name string) Tie {
	sum := sha256.Sum256([]byte(kind + "\x00" + name))
	return Tie(sum[:16])
}

// Ties are the ties of a user's history: what a Course has to keep, and for how many events. They
// belong to one Course at a time, and are for another one when it has decided the whole history.
type Ties struct {
	numbers map[Tie]uint32
	all     []int32 // by number: how many events have the tie
	seen    []int32 // and how many of them are decided
	frozen  []frozen
}

// Name adds an event of the history that a number of reversals name.
func (t *Ties) Name(eventID string, reversals int) { t.add(TieOf(eventID), reversals+1) }

// Order adds an order with its number of events: sales, and reversals that name it and no event.
func (t *Ties) Order(number event.Order, events int) { t.add(TieOfOrder(number), events) }

func (t *Ties) add(of Tie, events int) {
	if t.numbers == nil {
		t.numbers = map[Tie]uint32{}
	}

	t.numbers[of] = uint32(len(t.all))   //nolint:gosec // events of one user
	t.all = append(t.all, int32(events)) //nolint:gosec // as above
	t.seen = append(t.seen, 0)
}

// TiesOf returns the ties of a history that is at hand.
func TiesOf(events []event.Event) *Ties {
	named := map[string]int{}
	orders := map[event.Order]int{}

	for i := range events {
		snapshot := events[i].Snapshot()
		if snapshot.Type.Reverses() && snapshot.OriginalID != "" {
			named[snapshot.OriginalID]++
		} else if number := snapshot.Order(); number.Number != "" {
			orders[number]++
		}
	}

	ties := &Ties{}

	for number, n := range orders {
		if n > 1 {
			ties.Order(number, n)
		}
	}

	for i := range events {
		if n := named[events[i].ID()]; n > 0 {
			ties.Name(events[i].ID(), n)
		}
	}

	return ties
}

// None reports whether no event depends on another one, but by the accounts of tiers and caps.
func (t *Ties) None() bool { return len(t.all) == 0 }

// Number returns the number of the tie, from 0, if several events have it.
func (t *Ties) Number(of Tie) (uint32, bool) {
	if t.None() {
		return 0, false
	}

	number, known := t.numbers[of]

	return number, known
}

// Len returns the number of ties.
func (t *Ties) Len() int { return len(t.all) }

// see notes that an event is decided.
func (t *Ties) see(snapshot event.Snapshot) {
	if t.None() {
		return
	}

	t.count(TieOf(snapshot.ID))

	if snapshot.Type.Reverses() && snapshot.OriginalID != "" {
		t.count(TieOf(snapshot.OriginalID))
	} else if number := snapshot.Order(); number.Number != "" {
		t.count(TieOfOrder(number))
	}
}

func (t *Ties) count(of Tie) {
	if number, known := t.numbers[of]; known {
		t.seen[number] = (t.seen[number] + 1) % t.all[number]
	}
}

// open reports whether events with the tie are still to come, after one of them.
func (t *Ties) open(of Tie) bool {
	number, known := t.numbers[of]
	return known && t.seen[number] != 0
}
