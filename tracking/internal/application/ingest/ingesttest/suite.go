package ingesttest

import (
	"strings"
	"testing"
	"time"

	"tributary/tracking/internal/application/command"
	"tributary/tracking/internal/application/ingest"
	"tributary/tracking/internal/domain/event"
)

// Event returns an event with an id and a user.
func Event(tb testing.TB, id, user string, at time.Time) event.Event {
	tb.Helper()

	e, faults := event.New(event.Input{
		EventID:    event.Given(id),
		UserID:     event.Given(user),
		EventType:  event.Given("click"),
		CampaignID: event.Given("camp"),
		SourceURL:  event.Given("https://shop.example/"),
		Metadata:   event.Metadata{Text: `{"note": "é"}`, Canonical: `{"note":"é"}`},
	}, event.Receipt{At: at, Traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"})
	if len(faults) > 0 {
		tb.Fatal(faults)
	}

	return e
}

// Suite tests the contract of ingest.Store. open returns an empty store.
func Suite(t *testing.T, open func(t *testing.T) ingest.Store) {
	t.Helper()
	t.Run("new events are stored, known ones compared by their content", func(t *testing.T) {
		t.Parallel()
		store := open(t)
		first := time.Date(2026, 11, 23, 12, 0, 0, 123456000, time.UTC)
		want(
			t,
			store,
			[]event.Event{Event(t, "a", "u", first), Event(t, "b", "u", first)},
			first,
			ingest.Stored,
			ingest.Stored,
		)
		later := first.Add(time.Minute)

		got := want(
			t,
			store,
			[]event.Event{
				Event(t, "b", "u", later),
				Event(t, "c", "u", later),
				Event(t, "a", "other", later),
			},
			time.Time{},
			ingest.Repeated,
			ingest.Stored,
			ingest.Differs,
		)
		if !got[0].ReceivedAt.Equal(first) || !got[1].ReceivedAt.Equal(later) ||
			got[0].Hash != Event(t, "b", "u", later).Hash() {
			t.Fatalf("outcomes %+v do not describe the event in the log", got)
		}
	})
	t.Run("of several with one id the first is stored", func(t *testing.T) {
		t.Parallel()
		at := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
		want(
			t,
			open(t),
			[]event.Event{
				Event(t, "a", "u", at),
				Event(t, "a", "u", at),
				Event(t, "b", "u", at),
				Event(t, "a", "other", at),
			},
			at,
			ingest.Stored,
			ingest.Repeated,
			ingest.Stored,
			ingest.Differs,
		)
	})
	t.Run("the longest identifiers fit", func(t *testing.T) {
		t.Parallel()
		at := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
		long := strings.Repeat("😀", 128)
		want(t, open(t), []event.Event{Event(t, long, long, at)}, at, ingest.Stored)
	})
}

// KeysSuite tests the contract of command.Keys, and of a store with keys. open returns an empty
// store.
func KeysSuite(t *testing.T, open func(t *testing.T) (ingest.Store, command.Keys)) {
	t.Helper()
	at := time.Date(2026, 11, 23, 12, 0, 0, 123456000, time.UTC)
	use := func(caller, key string, hash byte) *ingest.Use {
		return &ingest.Use{
			Caller: caller,
			Key:    key,
			Hash:   [32]byte{hash},
			At:     at,
		}
	}
	states := func(t *testing.T, store ingest.Store, events []event.Event, keyed []ingest.Keyed, want ...ingest.State) {
		t.Helper()

		got, err := store.Append(t.Context(), events, keyed...)
		if err != nil || len(got) != len(want) {
			t.Fatalf("Append = %v, %v; want %d outcomes", got, err, len(want))
		}

		for i := range want {
			if got[i].State != want[i] {
				t.Fatalf("outcome %d = %+v, want state %d", i, got[i], want[i])
			}
		}
	}
	t.Run("a key stores its events once", func(t *testing.T) {
		t.Parallel()
		store, keys := open(t)
		states(t, store, []event.Event{Event(t, "old", "u", at)}, nil, ingest.Stored)
		states(
			t,
			store,
			[]event.Event{
				Event(t, "free", "u", at),
				Event(t, "a", "u", at),
				Event(t, "old", "u", at),
				Event(t, "b", "u", at),
				Event(t, "c", "u", at),
			},
			[]ingest.Keyed{
				{Use: use("shop", "k", 1), From: 1, To: 3},
				{Use: use("shop", "l", 1), From: 3, To: 4},
			},
			ingest.Stored,
			ingest.Stored,
			ingest.Repeated,
			ingest.Stored,
			ingest.Stored,
		)
		states(
			t,
			store,
			[]event.Event{
				Event(t, "a", "u", at),
				Event(t, "new", "u", at),
				Event(t, "free 2", "u", at),
				Event(t, "other", "u", at),
			},
			[]ingest.Keyed{
				{Use: use("shop", "k", 2), From: 0, To: 2},
				{Use: use("another shop", "k", 2), From: 3, To: 4},
			},
			ingest.KeyUsed,
			ingest.KeyUsed,
			ingest.Stored,
			ingest.Stored,
		)

		if first, found, err := keys.Find(t.Context(), "shop", "k"); err != nil || !found ||
			first != *use("shop", "k", 1) {
			t.Errorf("Find = %+v, %t, %v; want the first use", first, found, err)
		}

		if _, found, err := keys.Find(t.Context(), "", "k"); found || err != nil {
			t.Errorf("Find of another's key = %t, %v", found, err)
		}

		if _, err := keys.Look(t.Context(), []event.Event{Event(t, "new", "u", at)}); err == nil {
			t.Error("an event is stored that came with a key that was used")
		}
	})
	t.Run("of several requests with one key the first is stored", func(t *testing.T) {
		t.Parallel()
		store, _ := open(t)
		states(
			t,
			store,
			[]event.Event{Event(t, "a", "u", at), Event(t, "b", "u", at), Event(t, "c", "u", at)},
			[]ingest.Keyed{
				{Use: use("", "k", 1), From: 0, To: 1},
				{Use: use("", "k", 1), From: 1, To: 2},
				{Use: use("", "k", 2), From: 2, To: 3},
			},
			ingest.Stored,
			ingest.KeyUsed,
			ingest.KeyUsed,
		)
	})
	t.Run("a key whose events were all there is remembered", func(t *testing.T) {
		t.Parallel()
		store, keys := open(t)
		states(t, store, []event.Event{Event(t, "a", "u", at)}, nil, ingest.Stored)

		for range 2 { // the second attempt finds the key
			_, err := store.Append(
				t.Context(),
				[]event.Event{Event(t, "a", "other", at)},
				ingest.Keyed{Use: use("", "k", 1), To: 1},
			)
			if err != nil {
				t.Fatal(err)
			}
		}

		if _, found, err := keys.Find(t.Context(), "", "k"); !found || err != nil {
			t.Errorf("Find = %t, %v", found, err)
		}
	})
	t.Run("events are looked at as they are in the log", func(t *testing.T) {
		t.Parallel()
		store, keys := open(t)
		states(
			t,
			store,
			[]event.Event{Event(t, "a", "u", at), Event(t, "b", "u", at)},
			nil,
			ingest.Stored,
			ingest.Stored,
		)
		later := at.Add(time.Hour)

		got, err := keys.Look(
			t.Context(),
			[]event.Event{Event(t, "b", "other", later), Event(t, "a", "u", later)},
		)
		if err != nil || len(got) != 2 || got[0].State != ingest.Differs ||
			got[1].State != ingest.Repeated ||
			!got[1].ReceivedAt.Equal(at) {
			t.Errorf("Look = %+v, %v", got, err)
		}
	})
}

func want(
	t *testing.T,
	store ingest.Store,
	events []event.Event,
	received time.Time,
	states ...ingest.State,
) []ingest.Outcome {
	t.Helper()

	got, err := store.Append(t.Context(), events)
	if err != nil || len(got) != len(events) {
		t.Fatalf("Append = %v, %v; want %d outcomes", got, err, len(events))
	}

	for i, state := range states {
		if got[i].State != state || (!received.IsZero() && !got[i].ReceivedAt.Equal(received)) {
			t.Fatalf("outcome %d = %+v, want state %d of %v", i, got[i], state, received)
		}
	}

	return got
}
