package relay

import (
	"errors"
	"sync"

	"tributary/platform/broker"
)

// window holds the entries that are sent but not confirmed, in the order of the log. Confirmations
// arrive in any order; the position advances only over the contiguous prefix. A window is safe for
// concurrent use.
type window[P comparable] struct {
	mu        sync.Mutex
	slots     []slot[P] // a ring
	head      int       // the oldest
	count     int
	bytes     int
	confirmed P     // the position
	total     int64 // all confirmations, to detect a standstill
	// Nothing is sent after the first entry before it is confirmed: if it caused the last term to
	// fail, the others would be sent again at each attempt.
	firstAlone bool
	failure    error
	offered    bool // the newest is being handed over
	refused    error
	changed    chan struct{} // an answer has arrived
	due        chan struct{} // enough is confirmed to save the position
	saveRows   int64
	unsaved    int64
}

type slot[P comparable] struct {
	position P
	bytes    int
	done     bool
}

func newWindow[P comparable](rows int, saveRows int64, position P) *window[P] {
	return &window[P]{
		slots:     make([]slot[P], rows),
		confirmed: position,
		saveRows:  saveRows,
		changed:   make(chan struct{}, 1),
		due:       make(chan struct{}, 1),
	}
}

// add adds an entry and returns its place. ok is false if there is no room. An entry larger than
// the whole window is accepted alone.
func (w *window[P]) add(position P, size, maxBytes int) (place int, ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()

	if w.count == len(w.slots) ||
		(w.count > 0 && (w.bytes+size > maxBytes || (w.firstAlone && w.total == 0))) {
		return 0, false
	}

	place = (w.head + w.count) % len(w.slots)
	w.slots[place] = slot[P]{position: position, bytes: size}
	w.count++
	w.bytes += size

	return place, true
}

// offer hands over the entry at the newest place. refused is the publisher's refusal to accept it:
// then the place is free again, and nothing else changes. failure is the failure of any entry in
// the window.
func (w *window[P]) offer(hand func()) (refused, failure error) {
	w.mu.Lock()
	w.offered, w.refused = true, nil
	w.mu.Unlock()
	hand()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.offered = false

	return w.refused, w.failure
}

// answer records the broker's answer for a place.
func (w *window[P]) answer(place int, err error) {
	w.mu.Lock()

	newest := (w.head + w.count - 1) % len(w.slots)
	switch {
	case err != nil && w.offered && place == newest && errors.Is(err, broker.ErrUnavailable):
		w.refused = err
		w.bytes -= w.slots[place].bytes
		w.count--
	case err != nil && w.failure == nil:
		w.failure = err
	case err != nil:
	default:
		w.slots[place].done = true

		w.total++
		for w.count > 0 && w.slots[w.head].done {
			w.confirmed = w.slots[w.head].position
			w.bytes -= w.slots[w.head].bytes
			w.slots[w.head] = slot[P]{}
			w.head = (w.head + 1) % len(w.slots)
			w.count--
			w.unsaved++
		}
	}

	if w.unsaved >= w.saveRows {
		w.unsaved = 0
		signal(w.due)
	}

	w.mu.Unlock()
	signal(w.changed)
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

type progress[P comparable] struct {
	position P
	inFlight int
	total    int64
	failure  error
}

func (w *window[P]) progress() progress[P] {
	w.mu.Lock()
	defer w.mu.Unlock()

	return progress[P]{
		position: w.confirmed,
		inFlight: w.count,
		total:    w.total,
		failure:  w.failure,
	}
}
