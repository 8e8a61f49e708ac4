package ingesttest

import (
	"strings"
	"testing"
	"time"

	"tributary/tracking/internal/application/ingest"
	"tributary/tracking/internal/domain/event"
)

// Event makes an event with an id and a user.
func Event(tb testing.TB, id, user string, at time.Time) event.Event {
	tb.Helper()
	e, faults := event.New(event.Input{
		EventID: event.Given(id), UserID: event.Given(user), EventType: event.Given("click"), CampaignID: event.Given("camp"),
		SourceURL: event.Given("https://shop.example/"), Metadata: event.Metadata{Text: `{"note": "é"}`, Canonical: `{"note":"é"}`},
	}, event.Receipt{At: at, Traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"})
	if len(faults) > 0 {
		tb.Fatal(faults)
	}
	return e
}

// Suite is what every store must do. open gives an empty one.
func Suite(t *testing.T, open func(t *testing.T) ingest.Store) {
	t.Helper()
	t.Run("new events are stored, known ones judged by their content", func(t *testing.T) {
		t.Parallel()
		store := open(t)
		first := time.Date(2026, 11, 23, 12, 0, 0, 123456000, time.UTC)
		want(t, store, []event.Event{Event(t, "a", "u", first), Event(t, "b", "u", first)}, first, ingest.Stored, ingest.Stored)
		later := first.Add(time.Minute)
		got := want(t, store, []event.Event{Event(t, "b", "u", later), Event(t, "c", "u", later), Event(t, "a", "other", later)}, time.Time{},
			ingest.Repeated, ingest.Stored, ingest.Differs)
		if !got[0].ReceivedAt.Equal(first) || !got[1].ReceivedAt.Equal(later) || got[0].Hash != Event(t, "b", "u", later).Hash() {
			t.Fatalf("outcomes %+v do not tell of the event in the log", got)
		}
	})
	t.Run("of several with one id the first is stored", func(t *testing.T) {
		t.Parallel()
		at := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
		want(t, open(t), []event.Event{Event(t, "a", "u", at), Event(t, "a", "u", at), Event(t, "b", "u", at), Event(t, "a", "other", at)}, at,
			ingest.Stored, ingest.Repeated, ingest.Stored, ingest.Differs)
	})
	t.Run("the longest identifiers fit", func(t *testing.T) {
		t.Parallel()
		at := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
		long := strings.Repeat("😀", 128)
		want(t, open(t), []event.Event{Event(t, long, long, at)}, at, ingest.Stored)
	})
}

func want(t *testing.T, store ingest.Store, events []event.Event, received time.Time, states ...ingest.State) []ingest.Outcome {
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
