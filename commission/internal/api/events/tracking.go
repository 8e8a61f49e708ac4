// Package events (api) turns messages of the broker into commands of the application. A message
// that cannot be read, or can never be stored, goes to a dead-letter topic with the reason; any
// other is handled or retried.
package events

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"tributary/commission/internal/application/command"
	"tributary/commission/internal/domain/event"
	"tributary/contracts/eventtype"
	"tributary/platform/broker"
	"tributary/platform/fault"
)

// DeadLetters keeps messages that can never be handled.
type DeadLetters interface {
	// Put returns nil once the message is stored with the reason. It does not change the message.
	// After an error the letter may be stored: put again, it is stored twice. Put is safe for
	// concurrent use.
	Put(ctx context.Context, m broker.Received, reason string) error
}

// Tracking handles batches of the topic tracking-events.
type Tracking struct {
	consume *command.ConsumeEvents
	dead    DeadLetters
	logger  *slog.Logger
}

func NewTracking(handler *command.ConsumeEvents, dead DeadLetters, logger *slog.Logger) *Tracking {
	return &Tracking{consume: handler, dead: dead, logger: logger}
}

// Handle decides the events of the batch. It returns nil if each is decided or kept as a dead
// letter. After an error the whole batch can be handled again.
func (t *Tracking) Handle(ctx context.Context, batch []broker.Received) error {
	events := make([]event.Event, 0, len(batch))
	source := make([]int, 0, len(batch)) // indexes of the events in batch

	type letter struct {
		message broker.Received
		reason  error
	}

	var dead []letter
	for i, m := range batch {
		e, err := decodeTracking(m)
		if err != nil {
			dead = append(dead, letter{m, err})
			continue
		}

		events = append(events, e)
		source = append(source, i)
	}

	refused, err := t.consume.Handle(ctx, events)
	if err != nil {
		return err
	}

	for _, r := range refused {
		i := slices.IndexFunc(events, func(e event.Event) bool { return e.ID() == r.Event.ID() })
		dead = append(dead, letter{batch[source[i]], r.Err})
	}

	for _, l := range dead {
		t.logger.WarnContext(
			ctx,
			"cannot handle an event: kept as a dead letter",
			"message_id",
			l.message.ID(),
			"error",
			l.reason,
		)

		if err := t.dead.Put(ctx, l.message, reasonOf(l.reason)); err != nil {
			return fmt.Errorf("keep a dead letter: %w", err)
		}
	}

	return nil
}

// reasonOf returns a reason for operators that contains nothing of the message.
func reasonOf(err error) string {
	if f, ok := fault.As(err); ok {
		text := f.Code() + ": " + f.Detail
		for _, field := range f.Fields {
			text += " " + field.Field + " " + field.Message + "."
		}

		return text
	}

	return "unreadable: the message does not have the form of its topic"
}

// trackingMessage is contracts/schemas/tracking-event-v1. Unknown members are ignored, so that
// producers can add some.
type trackingMessage struct {
	SchemaVersion string `json:"schema_version"`
	EventID       string `json:"event_id" doc:"The id of the event." example:"event789"`
	UserID        string `json:"user_id" doc:"The user who earns." example:"user123"`
	EventType     string `json:"event_type" doc:"The type of the event." example:"purchase"`
	OccurredAt    string `json:"occurred_at" doc:"When the event occurred."`
	ReceivedAt    string `json:"received_at" doc:"When the event was recorded."`
	CampaignID    string `json:"campaign_id" doc:"The campaign." example:"camp123"`
	ProductID     string `json:"product_id" doc:"The product." example:"prod456"`
	OrderID       string `json:"order_id" doc:"The number of the order." example:"order789"`
	OriginalID    string `json:"original_event_id" doc:"The event that a refund, void or chargeback reverses."`
	Amount        string `json:"amount" doc:"The amount in major units." example:"10.00"`
	Currency      string `json:"currency" doc:"ISO 4217." example:"USD"`
	Metadata      string `json:"metadata"`
}

// decodeTracking reads a message. The decoder refuses duplicate keys, invalid UTF-8 and trailing
// text.
func decodeTracking(m broker.Received) (event.Event, error) {
	var t trackingMessage
	if err := json.Unmarshal(m.Payload, &t); err != nil {
		return event.Event{}, errUnreadable.Because(
			err,
			"The payload is not a tracking event in JSON.",
		)
	}

	if t.SchemaVersion != "v1" {
		return event.Event{}, errVersion.New(
			"Only version v1 of the message is supported.",
		)
	}

	var faults fault.Fields

	occurred, err := time.Parse(time.RFC3339, t.OccurredAt)
	if err != nil {
		faults.Add("occurred_at", fault.ErrTime, "must be a time as in RFC 3339")
	}

	received, err := time.Parse(time.RFC3339, t.ReceivedAt)
	if err != nil {
		faults.Add("received_at", fault.ErrTime, "must be a time as in RFC 3339")
	}

	if err := faults.Err(); err != nil {
		return event.Event{}, err
	}

	return event.New(event.Snapshot{
		ID:           t.EventID,
		UserID:       t.UserID,
		Type:         eventtype.Type(t.EventType),
		OccurredAt:   occurred,
		ReceivedAt:   received,
		CampaignID:   t.CampaignID,
		ProductID:    t.ProductID,
		OrderID:      t.OrderID,
		OriginalID:   t.OriginalID,
		Amount:       t.Amount,
		Currency:     t.Currency,
		SelfReferral: selfReferral(t.Metadata),
	})
}

// selfReferral reports whether the metadata has the member self_referral with the value true or
// "true".
func selfReferral(metadata string) bool {
	if !strings.Contains(metadata, "self_referral") {
		return false
	}

	var m struct {
		SelfReferral jsontext.Value `json:"self_referral"`
	}
	if err := json.Unmarshal([]byte(metadata), &m); err != nil {
		return false
	}

	text := string(m.SelfReferral)

	return text == "true" || text == `"true"`
}
