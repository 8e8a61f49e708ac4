package eventstest

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"tributary/commission/internal/api/events"
	"tributary/platform/broker"
)

// World is dead letters of which none is stored yet, and those of a broker that is away.
type World struct {
	Letters events.DeadLetters
	Away    events.DeadLetters
	// Stored waits until the number of letters is stored, and returns them in any order. A message
	// has its own properties only.
	Stored func(t *testing.T, number int) []Letter
}

// Suite tests the contract of events.DeadLetters. open returns a new world.
func Suite(t *testing.T, open func(t *testing.T) World) {
	t.Helper()
	t.Run("a letter is the message with its reason", func(t *testing.T) {
		t.Parallel()

		for name, m := range messages() {
			t.Run(name, func(t *testing.T) {
				t.Parallel()

				w := open(t)
				w.put(t, m, "unreadable: "+name)

				if got := w.Stored(t, 1)[0]; !same(got.Message, m) || got.Reason != "unreadable: "+name {
					t.Errorf("stored %+v for %+v", got, m)
				}
			})
		}
	})
	t.Run("the message remains as it is", func(t *testing.T) {
		t.Parallel()

		w := open(t)
		m, before := messages()["whole"], messages()["whole"]
		w.put(t, m, "unreadable")

		if !same(m, before) {
			t.Errorf("%+v became %+v", before, m)
		}
	})
	t.Run("a message may be put again", func(t *testing.T) {
		t.Parallel()

		w := open(t)
		m := messages()["whole"]
		w.put(t, m, "unreadable")
		w.put(t, m, "unreadable")

		for _, got := range w.Stored(t, 2) {
			if !same(got.Message, m) {
				t.Errorf("stored %+v for %+v", got, m)
			}
		}
	})
	t.Run("letters that are put at once are all stored", atOnce(open))
	t.Run("without a broker there is no success", func(t *testing.T) {
		t.Parallel()

		if err := open(t).Away.Put(t.Context(), messages()["whole"], "unreadable"); err == nil {
			t.Error("nothing failed")
		}
	})
	t.Run("a caller that has left gets no success", func(t *testing.T) {
		t.Parallel()

		left, cancel := context.WithCancel(t.Context())
		cancel()

		if err := open(t).Letters.Put(left, messages()["whole"], "unreadable"); err == nil {
			t.Error("nothing failed")
		}
	})
}

func atOnce(open func(t *testing.T) World) func(*testing.T) {
	const number = 20

	return func(t *testing.T) {
		t.Parallel()

		w := open(t)

		var (
			all  sync.WaitGroup
			want []string
		)

		for n := range number {
			reason := fmt.Sprintf("reason %02d", n)
			want = append(want, reason)

			all.Go(func() {
				if err := w.Letters.Put(t.Context(), messages()["whole"], reason); err != nil {
					t.Error(err)
				}
			})
		}

		all.Wait()

		var got []string
		for _, letter := range w.Stored(t, number) {
			got = append(got, letter.Reason)
		}

		slices.Sort(got)

		if !slices.Equal(got, want) {
			t.Errorf("stored %v, want %v", got, want)
		}
	}
}

func (w World) put(t *testing.T, m broker.Received, reason string) {
	t.Helper()

	if err := w.Letters.Put(t.Context(), m, reason); err != nil {
		t.Fatal(err)
	}
}

// messages returns messages by what they have.
func messages() map[string]broker.Received {
	return map[string]broker.Received{
		"whole": {
			Message: broker.Message{
				Key:        "user123",
				Payload:    []byte("no event \x00\xff"),
				Properties: map[string]string{"event_id": "e1", "content-type": "application/json"},
				EventTime:  time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC),
			},
			Topic: "persistent://public/default/tracking-events-partition-3",
		},
		"empty": {
			Topic: "persistent://public/default/tracking-events-partition-3",
		},
	}
}

// same reports whether both are the same message. An absent payload is an empty one.
func same(a, b broker.Received) bool {
	return a.Key == b.Key &&
		a.Topic == b.Topic &&
		a.EventTime.Equal(b.EventTime) &&
		bytes.Equal(a.Payload, b.Payload) &&
		maps.Equal(a.Properties, b.Properties)
}
