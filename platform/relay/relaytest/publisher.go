package relaytest

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"tributary/platform/broker"
	"tributary/platform/relay"
)

// World is a publisher to an empty topic, and one whose broker is away.
type World[E any] struct {
	Publisher relay.Publisher[E]
	Away      relay.Publisher[E]
	// Entry returns the entry with the number, one of the key's.
	Entry func(key string, number int) E
	// Refused are entries that the broker can never store, by what is wrong.
	Refused map[string]E
	// Stored waits until the topic has a number of entries, and returns their numbers by key, in
	// the order in which each came first.
	Stored func(t *testing.T, count int) map[string][]int
	// Cut ends the connections to the broker, and Heal allows new ones.
	Cut, Heal func()
}

// PublisherSuite tests the contract of relay.Publisher. open returns a world.
func PublisherSuite[E any](t *testing.T, open func(t *testing.T) World[E]) {
	t.Helper()
	t.Run("every entry is answered once, and those of a key are in order", func(t *testing.T) {
		t.Parallel()

		w := open(t)
		sent := newAnswers(t)

		for n := range 300 {
			w.send(t, sent, n)
		}

		sent.want(300, nil)
		w.wantOrder(t, 300)
	})
	t.Run("an entry that is refused holds up no other", func(t *testing.T) {
		t.Parallel()

		w := open(t)
		sent := newAnswers(t)
		refused := newAnswers(t)

		w.send(t, sent, 0)

		for _, entry := range w.Refused {
			w.Publisher.Send(t.Context(), entry, refused.next())
		}

		w.send(t, sent, 1)
		sent.want(2, nil)
		refused.want(len(w.Refused), broker.ErrRefused)
		w.wantOrder(t, 2)
	})
	t.Run("without a broker an entry is not accepted", func(t *testing.T) {
		t.Parallel()

		w := open(t)

		var got []error

		w.Away.Send(t.Context(), w.Entry("k", 0), func(err error) { got = append(got, err) })

		if len(got) != 1 || !errors.Is(got[0], broker.ErrUnavailable) {
			t.Errorf("answers before Send returns: %v", got)
		}
	})
	t.Run("an outage keeps the order", func(t *testing.T) {
		t.Parallel()

		w := open(t)
		sent := newAnswers(t)

		for n := range 100 {
			w.send(t, sent, n)
		}

		w.Cut()

		n := 100
		for n < 200 && w.accepts(t, sent, n) {
			n++
		}

		w.Heal()

		for ; n < 300; n++ {
			w.send(t, sent, n)
		}

		sent.want(300, nil)
		w.wantOrder(t, 300)
	})
}

// keyOf returns the key of the entry with the number.
func keyOf(number int) string { return fmt.Sprint("k", number%7) }

// send sends the entry with the number, again as long as it is not accepted.
func (w World[E]) send(t *testing.T, sent *answers, number int) {
	t.Helper()

	again := time.NewTicker(10 * time.Millisecond)
	defer again.Stop()

	late := time.NewTimer(patience)
	defer late.Stop()

	for !w.accepts(t, sent, number) {
		select {
		case <-again.C:
		case <-late.C:
			t.Fatalf("entry %d is not accepted", number)
		}
	}
}

// accepts sends the entry with the number, and reports whether it was accepted.
func (w World[E]) accepts(t *testing.T, sent *answers, number int) bool {
	t.Helper()

	done := sent.next()
	w.Publisher.Send(t.Context(), w.Entry(keyOf(number), number), done)

	return !sent.withdrawn()
}

// wantOrder checks that the entries before the number are stored, those of a key in their order.
func (w World[E]) wantOrder(t *testing.T, number int) {
	t.Helper()

	want := map[string][]int{}
	for n := range number {
		want[keyOf(n)] = append(want[keyOf(n)], n)
	}

	if got := w.Stored(t, number); !maps.EqualFunc(got, want, slices.Equal) {
		t.Errorf("stored %v, want %v", got, want)
	}
}

const patience = time.Minute

// answers are the answers to entries, in the order in which the entries were sent.
type answers struct {
	t *testing.T

	mu      sync.Mutex
	list    []*answer
	arrived chan struct{}
}

type answer struct {
	err   error
	given bool
}

func newAnswers(t *testing.T) *answers {
	t.Helper()
	return &answers{t: t, arrived: make(chan struct{}, 1)}
}

// next returns the function that takes the answer to the next entry.
func (a *answers) next() func(error) {
	one := &answer{}

	a.mu.Lock()
	a.list = append(a.list, one)
	a.mu.Unlock()

	return func(err error) {
		a.mu.Lock()
		defer a.mu.Unlock()

		if one.given {
			a.t.Errorf("a second answer: %v after %v", err, one.err)
		}

		one.given = true
		one.err = err

		select {
		case a.arrived <- struct{}{}:
		default:
		}
	}
}

// withdrawn reports whether the newest entry was not accepted, and forgets it in that case.
func (a *answers) withdrawn() bool {
	a.mu.Lock()
	defer a.mu.Unlock()

	last := len(a.list) - 1
	if !errors.Is(a.list[last].err, broker.ErrUnavailable) {
		return false
	}

	a.list = a.list[:last]

	return true
}

// want waits for the answers to a number of entries and checks each of them.
func (a *answers) want(number int, want error) {
	a.t.Helper()

	late := time.NewTimer(patience)
	defer late.Stop()

	for a.missing() > 0 {
		select {
		case <-a.arrived:
		case <-late.C:
			a.t.Fatalf("%d entries have no answer", a.missing())
		}
	}

	if len(a.list) != number {
		a.t.Errorf("%d entries were sent, want %d", len(a.list), number)
	}

	for n, one := range a.list {
		if !errors.Is(one.err, want) {
			a.t.Errorf("the answer to entry %d is %v, want %v", n, one.err, want)
		}
	}
}

// missing returns the number of entries without an answer.
func (a *answers) missing() int {
	a.mu.Lock()
	defer a.mu.Unlock()

	n := 0

	for _, one := range a.list {
		if !one.given {
			n++
		}
	}

	return n
}
