// Package pulsar (infrastructure) publishes events to the topic tracking-events.
package pulsar

import (
	"strconv"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"tributary/platform/broker"
	"tributary/tracking/internal/domain/event"
)

const (
	schemaVersion = "v1"
	ceSource      = "tributary/tracking"
)

// messageOf returns the message of an event. The key keeps a user's events in order; the event time
// is when the event occurred, and the broker's publish time when it was sent. Properties do not
// repeat the key, the event time or the payload: their number is the main cost of a message.
func messageOf(entry event.Entry) (broker.Message, error) {
	f := entry.Event.Snapshot()

	payload, err := payloadOf(&f)
	if err != nil {
		return broker.Message{}, err
	}

	properties := map[string]string{
		"event_id":       f.ID,
		"seq":            strconv.FormatInt(entry.Seq, 10),
		"content-type":   "application/json",
		"ce_specversion": "1.0",
		"ce_id":          f.ID,
		"ce_type":        "tributary.tracking." + string(f.Type) + ".v1",
		"ce_source":      ceSource,
	}
	if f.Traceparent != "" {
		properties["traceparent"] = f.Traceparent
	}

	return broker.Message{
		Key:        f.UserID,
		Payload:    payload,
		Properties: properties,
		EventTime:  f.OccurredAt,
	}, nil
}

// payloadOf writes the JSON of schema tracking-event-v1: strings only, without absent fields.
// Metadata is a string that contains the JSON text as received, so that no reader can lose digits.
func payloadOf(f *event.Snapshot) ([]byte, error) {
	out := make([]byte, 0, 384+len(f.Metadata)+len(f.Metadata)/4)

	var err error
	member := func(name, value string) {
		if value == "" || err != nil {
			return
		}

		out = append(append(append(out, ',', '"'), name...), '"', ':')
		out, err = jsontext.AppendQuote(out, value)
	}
	out = append(out, `{"schema_version":"`+schemaVersion+`"`...)
	member("event_id", f.ID)
	member("user_id", f.UserID)
	member("event_type", string(f.Type))
	member("occurred_at", timeText(f.OccurredAt))
	member("received_at", timeText(f.ReceivedAt))
	member("campaign_id", f.CampaignID)
	member("product_id", f.ProductID)
	member("order_id", f.OrderID)
	member("original_event_id", f.OriginalEventID)
	member("amount", f.Amount)
	member("currency", f.Currency)
	member("metadata", f.Metadata)

	return append(out, '}'), err
}

func timeText(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }
