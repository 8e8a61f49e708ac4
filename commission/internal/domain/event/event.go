// Package event (domain) is a tracking event as commission sees it: something that a user did, or
// the reversal of it.
package event

import (
	"time"

	"tributary/contracts/eventtype"
	"tributary/platform/fault"
	"tributary/platform/identifier"
)

// Snapshot is the content of an event. Amount is the decimal text in major units and Currency an
// ISO code, both as sent, or "". The decision interprets them.
type Snapshot struct {
	ID           string
	UserID       string
	Type         eventtype.Type
	OccurredAt   time.Time
	ReceivedAt   time.Time
	CampaignID   string
	ProductID    string
	OrderID      string
	OriginalID   string // the event that this one reverses
	Amount       string
	Currency     string
	SelfReferral bool // the metadata says that the user bought from themselves
}

// Order identifies an order. A number is unique within a user's campaign, or among the user's
// events without a campaign.
type Order struct{ UserID, CampaignID, Number string }

// Order is the order that a sale belongs to, or that a reversal names. The number is "" where the
// event names none, and for types that have no orders, such as leads.
func (f Snapshot) Order() Order {
	if f.OrderID == "" || (!f.Type.Sells() && !f.Type.Reverses()) {
		return Order{}
	}

	return Order{UserID: f.UserID, CampaignID: f.CampaignID, Number: f.OrderID}
}

// Event is a valid event. It is immutable.
type Event struct{ snapshot Snapshot }

// New returns an event with the content. It refuses what tracking should never have published:
// missing or unprintable identifiers, an unknown type, no time. The fault lists every field.
func New(snapshot Snapshot) (Event, error) {
	var faults fault.Fields
	for _, id := range []struct {
		field, value string
		needed       bool
	}{
		{"event_id", snapshot.ID, true},
		{"user_id", snapshot.UserID, true},
		{"campaign_id", snapshot.CampaignID, false},
		{"product_id", snapshot.ProductID, false},
		{"order_id", snapshot.OrderID, false},
		{"original_event_id", snapshot.OriginalID, false},
	} {
		if (id.value != "" || id.needed) && !identifier.Readable(id.value) {
			faults.Add(
				id.field,
				fault.ErrInvalidValue,
				"must be 1 to 128 characters without control characters",
			)
		}
	}

	if _, ok := eventtype.Parse(string(snapshot.Type)); !ok {
		faults.Add("event_type", fault.ErrEventType, "must be one of the known event types")
	}

	if snapshot.OccurredAt.IsZero() {
		faults.Add("occurred_at", fault.ErrRequired, "is required")
	}

	if len(snapshot.Amount) > 64 || len(snapshot.Currency) > 8 {
		faults.Add("amount", fault.ErrTooLong, "must be a decimal number and a currency code")
	}

	if err := faults.Err(); err != nil {
		return Event{}, err
	}

	snapshot.OccurredAt = snapshot.OccurredAt.UTC().Truncate(time.Microsecond)
	snapshot.ReceivedAt = snapshot.ReceivedAt.UTC().Truncate(time.Microsecond)

	return Event{snapshot: snapshot}, nil
}

// Restore returns an event with content that New accepted once.
func Restore(snapshot Snapshot) Event { return Event{snapshot: snapshot} }

// Snapshot returns a copy of the content.
func (e Event) Snapshot() Snapshot { return e.snapshot }

// ID returns the event's identifier, which its sender or tracking assigned.
func (e Event) ID() string { return e.snapshot.ID }

// UserID returns the user who earns by the event.
func (e Event) UserID() string { return e.snapshot.UserID }

// Type returns the kind of the event.
func (e Event) Type() eventtype.Type { return e.snapshot.Type }

// OccurredAt returns when the event occurred. It selects the rules in force.
func (e Event) OccurredAt() time.Time { return e.snapshot.OccurredAt }
