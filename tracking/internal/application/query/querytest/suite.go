package querytest

import (
	"testing"
	"time"

	"tributary/contracts/eventtype"
	"tributary/tracking/internal/application/query"
	"tributary/tracking/internal/domain/event"
)

// Full returns an event with every field.
func Full(t *testing.T) event.Event {
	t.Helper()

	return made(t, event.Input{
		EventID:        event.Given("e-1"),
		UserID:         event.Given("üser 1"),
		EventType:      event.Given("refund"),
		OccurredAt:     event.Given("2026-11-22T23:59:59.123456+02:00"),
		CampaignID:     event.Given("c"),
		VisitorID:      event.Given("v"),
		SourceURL:      event.Given("https://a.example/"),
		DestinationURL: event.Given("https://b.example/"),
		Source:         event.Given("/shop"),
		Attributes:     `{"shade":"x","n":5}`,
		Metadata: event.Metadata{
			Text:            `{"amount": 1.50, "x": "\""}`,
			Canonical:       `{"amount":1.50,"x":"\""}`,
			Amount:          event.Given("1.50"),
			Currency:        event.Given("EUR"),
			ProductID:       event.Given("p"),
			OrderID:         event.Given("o"),
			OriginalEventID: event.Given("e-0"),
		},
	})
}

func made(t *testing.T, in event.Input) event.Event {
	t.Helper()

	e, faults := event.New(in, event.Receipt{
		ID:          "made",
		At:          time.Date(2026, 11, 23, 12, 0, 0, 123456000, time.UTC),
		Traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
	})
	if len(faults) > 0 {
		t.Fatal(faults)
	}

	return e
}

// Suite tests the contract of query.Log. open returns a log of the events.
func Suite(t *testing.T, open func(t *testing.T, events ...event.Event) query.Log) {
	t.Helper()
	t.Run("events come back as they were", func(t *testing.T) {
		t.Parallel()

		small := made(t, event.Input{UserID: event.Given("u"), EventType: event.Given("view")})

		log := open(t, Full(t), small)
		for _, want := range []event.Event{Full(t), small} {
			got, found, err := log.Event(t.Context(), want.ID())
			if err != nil || !found || got.Event != want || got.Seq == 0 {
				t.Errorf("Event = %+v, %t, %v; want %+v", got, found, err, want)
			}
		}

		if _, found, err := log.Event(t.Context(), "nothing"); found || err != nil {
			t.Errorf("Event of an unknown id = %t, %v", found, err)
		}
	})

	for name, c := range map[string]struct {
		filter query.Filter
		want   string
	}{
		"all":      {query.Filter{}, "1234"},
		"user":     {query.Filter{UserID: "a"}, "134"},
		"type":     {query.Filter{Type: eventtype.Click}, "234"},
		"campaign": {query.Filter{CampaignID: "x"}, "13"},
		"from":     {query.Filter{From: day(2)}, "23"},
		"to":       {query.Filter{To: day(2)}, "14"},
		"range":    {query.Filter{From: day(1), To: day(3)}, "12"},
		"several":  {several(), "3"},
		"none":     {query.Filter{UserID: "A"}, ""},
	} {
		t.Run("a list by "+name, func(t *testing.T) {
			t.Parallel()
			checkPages(t, open(t, november(t)...), c.filter, c.want)
		})
	}
}

func several() query.Filter {
	return query.Filter{
		UserID:     "a",
		Type:       eventtype.Click,
		CampaignID: "x",
		From:       day(1),
		To:         day(30),
	}
}

func day(d int) time.Time { return time.Date(2026, 11, d, 0, 0, 0, 0, time.UTC) }

// november returns four events; their ids are their places in the log.
func november(t *testing.T) []event.Event {
	t.Helper()

	var events []event.Event

	add := func(id, user, kind, campaign, at string) {
		in := event.Input{
			EventID:    event.Given(id),
			UserID:     event.Given(user),
			EventType:  event.Given(kind),
			OccurredAt: event.Given(at),
		}
		if campaign != "" {
			in.CampaignID = event.Given(campaign)
		}

		events = append(events, made(t, in))
	}
	add("1", "a", "view", "x", "2026-11-01T00:00:00Z")
	add("2", "b", "click", "", "2026-11-02T00:00:00Z")
	add("3", "a", "click", "x", "2026-11-03T00:00:00Z")
	add("4", "a", "click", "y", "2026-10-01T00:00:00Z")

	return events
}

// checkPages reads the list two at a time.
func checkPages(t *testing.T, log query.Log, filter query.Filter, want string) {
	t.Helper()

	got, position := "", int64(0)
	for {
		page, more, err := log.Events(t.Context(), filter, position, 2)
		if err != nil || len(page) > 2 {
			t.Fatalf("%d events, %v", len(page), err)
		}

		for _, entry := range page {
			if entry.Seq <= position {
				t.Errorf("position %d follows %d", entry.Seq, position)
			}

			got += entry.Event.ID()
			position = entry.Seq
		}

		if more != (len(got) < len(want)) {
			t.Errorf("after %q more is %t", got, more)
		}

		if !more {
			break
		}
	}

	if got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
