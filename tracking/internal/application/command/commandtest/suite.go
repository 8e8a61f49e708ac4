package commandtest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"tributary/platform/fault"
	"tributary/tracking/internal/application/command"
	"tributary/tracking/internal/application/ingest"
	"tributary/tracking/internal/application/ingest/ingesttest"
	"tributary/tracking/internal/domain/event"
)

// Open returns a recorder that writes to the store.
type Open func(t *testing.T, store ingest.Store) command.Recorder

// RecorderSuite tests the contract of command.Recorder.
func RecorderSuite(t *testing.T, open Open) {
	t.Helper()

	for name, test := range map[string]func(*testing.T, Open){
		"each event has its outcome":              outcomes,
		"a key records its events once":           keys,
		"only what the log refuses is refused":    refusals,
		"a request with a key is refused whole":   keyedRefusals,
		"a log that is away has nothing":          absence,
		"a log that does not answer may have all": silence,
		"concurrent requests have their outcomes": callers,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, open)
		})
	}
}

func noon() time.Time { return time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC) }

// newEvents returns events with the ids.
func newEvents(t *testing.T, ids ...string) []event.Event {
	t.Helper()

	list := make([]event.Event, len(ids))
	for i, id := range ids {
		list[i] = ingesttest.Event(t, id, "u", noon())
	}

	return list
}

func use(key string) *ingest.Use { return &ingest.Use{Caller: "shop", Key: key, At: noon()} }

// want records the events and checks their states.
func want(
	t *testing.T,
	log command.Recorder,
	events []event.Event,
	use *ingest.Use,
	want ...ingest.State,
) []ingest.Outcome {
	t.Helper()

	got, err := log.Record(t.Context(), events, use)
	if err != nil {
		t.Fatalf("Record = %v", err)
	}

	states := make([]ingest.State, len(got))
	for i, outcome := range got {
		states[i] = outcome.State

		if (outcome.State == ingest.Refused) != (outcome.Err != nil) {
			t.Errorf("outcome %d: %+v", i, outcome)
		}
	}

	if !slices.Equal(states, want) {
		t.Errorf("states %v, want %v", states, want)
	}

	return got
}

func outcomes(t *testing.T, open Open) {
	log := open(t, ingesttest.New())
	want(t, log, newEvents(t, "a", "b"), nil, ingest.Stored, ingest.Stored)

	later := noon().Add(time.Hour)

	got := want(
		t,
		log,
		[]event.Event{
			ingesttest.Event(t, "b", "u", later),
			ingesttest.Event(t, "c", "u", later),
			ingesttest.Event(t, "a", "other", later),
			ingesttest.Event(t, "c", "u", later),
		},
		nil,
		ingest.Repeated,
		ingest.Stored,
		ingest.Differs,
		ingest.Repeated,
	)
	if !got[0].ReceivedAt.Equal(noon()) || !got[1].ReceivedAt.Equal(later) ||
		got[2].Hash != newEvents(t, "a")[0].Hash() {
		t.Errorf("%+v do not describe the events in the log", got)
	}
}

func keys(t *testing.T, open Open) {
	store := ingesttest.New()
	log := open(t, store)

	want(t, log, newEvents(t, "a", "b"), use("k"), ingest.Stored, ingest.Stored)
	want(t, log, newEvents(t, "a", "c"), use("k"), ingest.KeyUsed, ingest.KeyUsed)
	want(t, log, newEvents(t, "a", "d"), use("l"), ingest.Repeated, ingest.Stored)

	if store.Has("c") {
		t.Error("an event is stored that came with a key that was used")
	}
}

// refuse has the store refuse commits with an event that is bad.
func refuse(store *ingesttest.Store) {
	store.Hook = func(events []event.Event) error {
		for _, e := range events {
			if e.ID() == "bad" || e.ID() == "worse" {
				return fmt.Errorf("%w: bad", ingest.ErrRefused)
			}
		}

		return nil
	}
}

func refusals(t *testing.T, open Open) {
	store := ingesttest.New()
	refuse(store)

	log := open(t, store)

	got := want(
		t,
		log,
		newEvents(t, "a", "b", "bad", "c", "d", "worse", "e", "f"),
		nil,
		ingest.Stored,
		ingest.Stored,
		ingest.Refused,
		ingest.Stored,
		ingest.Stored,
		ingest.Refused,
		ingest.Stored,
		ingest.Stored,
	)

	for _, i := range []int{2, 5} {
		if !errors.Is(got[i].Err, ingest.ErrContent) {
			t.Errorf("outcome %d: %v", i, got[i].Err)
		}
	}

	for _, id := range []string{"a", "b", "c", "d", "e", "f"} {
		if !store.Has(id) {
			t.Errorf("event %s is not stored", id)
		}
	}
}

func keyedRefusals(t *testing.T, open Open) {
	store := ingesttest.New()
	refuse(store)

	log := open(t, store)
	refused := []ingest.State{ingest.Refused, ingest.Refused, ingest.Refused}
	want(t, log, newEvents(t, "a", "bad", "b"), use("k"), refused...)

	if store.Has("a") || store.Has("b") {
		t.Error("a part of the request is stored")
	}

	// nor was the key used
	want(t, log, newEvents(t, "a", "b"), use("k"), ingest.Stored, ingest.Stored)
}

func absence(t *testing.T, open Open) {
	store := ingesttest.New()
	store.Hook = func([]event.Event) error { return ingest.Away(errors.New("connection refused")) }
	log := open(t, store)

	for _, with := range []*ingest.Use{nil, use("k")} {
		got, err := log.Record(t.Context(), newEvents(t, "a", "b"), with)
		if !errors.Is(err, fault.ErrDatabase) || got != nil || store.Has("a") {
			t.Errorf("Record = %v, %v; want database_unavailable", got, err)
		}
	}
}

// mute stores events and loses every answer.
type mute struct{ ingest.Store }

// Append implements ingest.Store.
func (m mute) Append(
	ctx context.Context,
	events []event.Event,
	keyed ...ingest.Keyed,
) ([]ingest.Outcome, error) {
	_, err := m.Store.Append(ctx, events, keyed...)
	return nil, errors.Join(ingest.Unknown(errors.New("connection reset")), err)
}

func silence(t *testing.T, open Open) {
	store := ingesttest.New()
	log := open(t, mute{store})

	got, err := log.Record(t.Context(), newEvents(t, "a"), nil)
	if !errors.Is(err, ingest.ErrUnknown) || got != nil || !store.Has("a") {
		t.Errorf("Record = %v, %v; want outcome_unknown", got, err)
	}
}

func callers(t *testing.T, open Open) {
	log := open(t, ingesttest.New())

	var (
		requests sync.WaitGroup
		mu       sync.Mutex
		shared   = map[ingest.State]int{}
	)

	for n := range 20 {
		requests.Go(func() {
			got, err := log.Record(t.Context(), newEvents(t, fmt.Sprint("e", n), "shared"), nil)
			if err != nil || len(got) != 2 || got[0].State != ingest.Stored {
				t.Errorf("Record = %+v, %v", got, err)
				return
			}

			mu.Lock()
			defer mu.Unlock()

			shared[got[1].State]++
		})
	}

	requests.Wait()

	if shared[ingest.Stored] != 1 || shared[ingest.Repeated] != 19 {
		t.Errorf("the states of one event: %v", shared)
	}
}
