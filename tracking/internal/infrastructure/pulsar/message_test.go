package pulsar_test

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"tributary/contracts"
	"tributary/contracts/contractstest"
	"tributary/tracking/internal/domain/event"
	"tributary/tracking/internal/infrastructure/pulsar"
)

// Every golden message is what the publisher makes of the same facts.
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
		got, err := pulsar.MessageOf(event.Entry{Seq: 42, Event: event.Restore(factsOf(t, m))})
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
				t.Errorf("%s: property %s is %q, want %q", name, property, got.Properties[property], value)
			}
		}
		if len(got.Properties) != 7 {
			t.Errorf("%s: properties %v", name, slices.Sorted(maps.Keys(got.Properties)))
		}
	}
}

func TestTheTraceTravels(t *testing.T) {
	t.Parallel()
	const trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	got, err := pulsar.MessageOf(event.Entry{Event: event.Restore(event.Facts{ID: "e", UserID: "u", Type: event.View, Traceparent: trace})})
	if err != nil || got.Properties["traceparent"] != trace || strings.Contains(string(got.Payload), trace) {
		t.Fatalf("%v %v %s", err, got.Properties, got.Payload)
	}
}

func factsOf(t *testing.T, m map[string]string) event.Facts {
	t.Helper()
	return event.Facts{
		ID: m["event_id"], UserID: m["user_id"], Type: event.Type(m["event_type"]), OccurredAt: parse(t, m["occurred_at"]), ReceivedAt: parse(t, m["received_at"]),
		CampaignID: m["campaign_id"], ProductID: m["product_id"], OrderID: m["order_id"], OriginalEventID: m["original_event_id"],
		Amount: m["amount"], Currency: m["currency"], Metadata: m["metadata"],
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
