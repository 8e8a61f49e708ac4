package pulsar_test

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"pgregory.net/rapid"

	"tributary/contracts"
	"tributary/contracts/contractstest"
	"tributary/contracts/eventtype"
	"tributary/platform/money"
	"tributary/tracking/internal/domain/event"
	"tributary/tracking/internal/infrastructure/pulsar"
)

// The publisher creates exactly the golden message from the same fields.
func TestMessagesAreTheGoldenOnes(t *testing.T) {
	t.Parallel()

	golden, err := contracts.Golden(contracts.TrackingEventV1)
	if err != nil || len(golden) == 0 {
		t.Fatalf("%d golden messages, %v", len(golden), err)
	}

	for name, want := range golden {
		var m map[string]string
		if err := json.Unmarshal(want, &m); err != nil {
			t.Fatalf("%s: %v", name, err)
		}

		got, err := pulsar.MessageOf(event.Entry{Seq: 42, Event: event.Restore(snapshotOf(t, m))})
		if err != nil {
			t.Fatal(err)
		}

		contractstest.Check(t, contracts.TrackingEventV1, got.Payload)

		if canonical(t, got.Payload) != canonical(t, want) {
			t.Errorf("%s: published\n%s\nwant\n%s", name, got.Payload, want)
		}

		if got.Key != m["user_id"] || !got.EventTime.Equal(parse(t, m["occurred_at"])) {
			t.Errorf("%s: key %q, event time %v", name, got.Key, got.EventTime)
		}

		for property, value := range map[string]string{
			"event_id": m["event_id"], "seq": "42", "content-type": "application/json", "ce_specversion": "1.0", "ce_id": m["event_id"],
			"ce_type": "tributary.tracking." + m["event_type"] + ".v1", "ce_source": "tributary/tracking",
		} {
			if got.Properties[property] != value {
				t.Errorf(
					"%s: property %s is %q, want %q",
					name,
					property,
					got.Properties[property],
					value,
				)
			}
		}

		if len(got.Properties) != 7 {
			t.Errorf("%s: properties %v", name, slices.Sorted(maps.Keys(got.Properties)))
		}
	}
}

// Every accepted event can be decided: its message satisfies the schema, and its amount is valid in
// its currency. Consumers may rely on that.
func TestEveryAcceptedEventKeepsTheSchema(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 23, 12, 0, 0, 123456789, time.UTC)
	text := rapid.OneOf(rapid.Just(event.Text{}), rapid.Map(rapid.StringN(1, 130, -1), event.Given))
	amount := rapid.Map(
		rapid.StringMatching(`-?(0|[1-9][0-9]{0,12})([.][0-9]{0,4}0{0,40})?([eE][+-]?[0-9]{1,2})?`),
		event.Given,
	)
	kinds := rapid.Map(
		rapid.SampledFrom(
			[]string{
				"view",
				"click",
				"engagement",
				"lead",
				"sale",
				"purchase",
				"refund",
				"void",
				"chargeback",
			},
		),
		event.Given,
	)
	currencies := rapid.SampledFrom(
		[]event.Text{
			{},
			{},
			event.Given("USD"),
			event.Given("JPY"),
			event.Given("KWD"),
			event.Given("CLF"),
			event.Given("XXX"),
		},
	)
	rapid.Check(t, func(rt *rapid.T) {
		in := event.Input{
			EventID: text.Draw(rt, "event_id"),
			UserID: rapid.Map(
				rapid.StringMatching(`[ -~é]{1,128}`),
				event.Given,
			).Draw(rt, "user_id"),
			EventType:  kinds.Draw(rt, "event_type"),
			CampaignID: text.Draw(rt, "campaign_id"),
			Metadata: event.Metadata{
				Text:     `{"a":"\u00e9"}`,
				Amount:   amount.Draw(rt, "amount"),
				Currency: currencies.Draw(rt, "currency"),
				OrderID:  text.Draw(rt, "order_id"),
			},
		}

		e, faults := event.New(in, event.Receipt{ID: "made", At: at})
		if len(faults) > 0 {
			return
		}

		m, err := pulsar.MessageOf(event.Entry{Seq: 1, Event: e})
		if err != nil {
			rt.Fatal(err)
		}

		if err := contractstest.Validate(t, contracts.TrackingEventV1, m.Payload); err != nil {
			rt.Fatalf("%s: %v", m.Payload, err)
		}

		snapshot := e.Snapshot()

		currency := money.USD()
		switch {
		case snapshot.Currency != "":
			if currency, err = money.ParseCurrency(snapshot.Currency); err != nil {
				rt.Fatal(err)
			}
		case snapshot.Type == eventtype.Refund, snapshot.Type == eventtype.Void, snapshot.Type == eventtype.Chargeback:
			currency = money.Finest()
		}

		if _, err := money.ParseMajor(snapshot.Amount, currency); err != nil {
			rt.Fatalf("amount %q of %s: %v", snapshot.Amount, currency, err)
		}
	})
}

func TestTheTraceTravels(t *testing.T) {
	t.Parallel()

	const trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

	got, err := pulsar.MessageOf(
		event.Entry{
			Event: event.Restore(
				event.Snapshot{ID: "e", UserID: "u", Type: eventtype.View, Traceparent: trace},
			),
		},
	)
	if err != nil || got.Properties["traceparent"] != trace ||
		strings.Contains(string(got.Payload), trace) {
		t.Fatalf("%v %v %s", err, got.Properties, got.Payload)
	}
}

func snapshotOf(t *testing.T, m map[string]string) event.Snapshot {
	t.Helper()

	return event.Snapshot{
		ID:              m["event_id"],
		UserID:          m["user_id"],
		Type:            eventtype.Type(m["event_type"]),
		OccurredAt:      parse(t, m["occurred_at"]),
		ReceivedAt:      parse(t, m["received_at"]),
		CampaignID:      m["campaign_id"],
		ProductID:       m["product_id"],
		OrderID:         m["order_id"],
		OriginalEventID: m["original_event_id"],
		Amount:          m["amount"],
		Currency:        m["currency"],
		Metadata:        m["metadata"],
	}
}

func parse(t *testing.T, text string) time.Time {
	t.Helper()

	at, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		t.Fatal(err)
	}

	return at
}

func canonical(t *testing.T, text []byte) string {
	t.Helper()

	v := jsontext.Value(slices.Clone(text))
	if err := v.Canonicalize(); err != nil {
		t.Fatal(err)
	}

	return string(v)
}
