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
type Ties struct{ known map[Tie]tied }

// tied is how many events refer to an event or to an order, and how many of them are decided.
type tied struct{ all, seen int32 }

// NewTies returns no ties.
func NewTies() Ties { return Ties{known: map[Tie]tied{}} }

// Name adds an event of the history that a number of reversals name.
func (t Ties) Name(eventID string, reversals int) {
	t.known[TieOf(eventID)] = tied{all: int32(reversals) + 1}
}

// Order adds an order with its number of events: sales, and reversals that name it and no event.
func (t Ties) Order(number event.Order, events int) {
	t.known[TieOfOrder(number)] = tied{all: int32(events)}
}

// TiesOf returns the ties of a history that is at hand.
func TiesOf(events []event.Event) Ties {
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

	ties := NewTies()

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
func (t Ties) None() bool { return len(t.known) == 0 }

// Has reports whether several events have the tie.
func (t Ties) Has(of Tie) bool {
	_, known := t.known[of]
	return known
}

// see notes that an event is decided.
func (t Ties) see(snapshot event.Snapshot) {
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

func (t Ties) count(of Tie) {
	if found, known := t.known[of]; known {
		found.seen++
		t.known[of] = found
	}
}

// open reports whether events with the tie are still to come.
func (t Ties) open(of Tie) bool {
	found := t.known[of]
	return found.seen%max(found.all, 1) != 0
}
