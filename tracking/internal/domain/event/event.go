// Package event (domain) defines the tracking event: its fields and rules, and when two reports
// have the same content.
package event

import (
	"cmp"
	"time"

	"tributary/contracts/eventtype"
	"tributary/platform/fault"
)

// Event is an accepted event. It is immutable.
type Event struct{ snapshot Snapshot }

// Entry is an event with its position in the log.
type Entry struct {
	Seq   int64
	Event Event
}

// Position is the sequence number.
func (e Entry) Position() int64 { return e.Seq }

// ID is the identifier of the event.
func (e Entry) ID() string { return e.Event.ID() }

// Size is the size of the event.
func (e Entry) Size() int { return e.Event.Size() }

// Snapshot is the fields of an event. Empty text means absent. Times are UTC, to the microsecond.
type Snapshot struct {
	ID              string
	UserID          string
	Type            eventtype.Type
	OccurredAt      time.Time
	ReceivedAt      time.Time
	CampaignID      string
	ProductID       string
	OrderID         string
	OriginalEventID string
	// Amount is in major units in plain decimal notation, with the digits as sent, but no more than
	// the currency has.
	Amount         string
	Currency       string // ISO 4217, only if the caller named one
	Metadata       string // JSON text of the object, as received
	VisitorID      string
	SourceURL      string
	DestinationURL string
	Source         string
	Attributes     string // JSON text of an object
	Traceparent    string
	Hash           Hash
}

// Receipt holds what the service adds to an event when it is received. ID is used if the caller
// names none.
type Receipt struct {
	ID          string
	At          time.Time
	Traceparent string
}

// New checks the input and returns the event, or every fault of the input.
func New(in Input, receipt Receipt) (Event, fault.Fields) {
	c := checker{}
	at := receipt.At.UTC().Truncate(time.Microsecond)
	e := Snapshot{
		ID: c.identifier("event_id", in.EventID),
		UserID: c.required(
			"user_id",
			c.either(spelling{"user_id", in.UserID}, spelling{"partner_id", in.PartnerID}),
			c.identifier,
		),
		Type: c.eventType(
			c.either(
				spelling{"event_type", in.EventType},
				spelling{"interaction_type", in.InteractionType},
			),
		),
		OccurredAt:     c.occurredAt("occurred_at", in.OccurredAt, at),
		ReceivedAt:     at,
		CampaignID:     c.identifier("campaign_id", in.CampaignID),
		VisitorID:      c.identifier("visitor_id", in.VisitorID),
		SourceURL:      c.link("source_url", in.SourceURL),
		DestinationURL: c.link("destination_url", in.DestinationURL),
		Source:         c.source("source", in.Source),
		Attributes:     in.Attributes,
		Traceparent:    cmp.Or(in.Traceparent, receipt.Traceparent),
		Metadata:       in.Metadata.Text,
	}
	c.metadata(&e, in.Metadata)

	if len(c.faults) > 0 {
		return Event{}, c.faults
	}

	if e.ID == "" {
		e.ID = receipt.ID
	}

	e.Hash = hash(e, in.OccurredAt.IsGiven(), in.Metadata.Canonical)

	return Event{snapshot: e}, nil
}

// Restore returns an event with stored fields, without checking them.
func Restore(snapshot Snapshot) Event { return Event{snapshot: snapshot} }

// Snapshot returns the fields of the event.
func (e Event) Snapshot() Snapshot { return e.snapshot }

// ID returns the id of the event.
func (e Event) ID() string { return e.snapshot.ID }

// Hash returns the hash of the content.
func (e Event) Hash() Hash { return e.snapshot.Hash }

// ReceivedAt returns when the service received the event.
func (e Event) ReceivedAt() time.Time { return e.snapshot.ReceivedAt }

// Size returns the approximate number of bytes that the event takes in memory: all its text, and
// its metadata once more, since a user of the event has a second form of it (a request the
// canonical one, the relay the message's).
func (e Event) Size() int {
	f := &e.snapshot

	return 512 + len(f.ID) + len(f.UserID) + len(f.CampaignID) + len(f.ProductID) +
		len(f.OrderID) + len(f.OriginalEventID) + len(f.Amount) + 2*len(f.Metadata) +
		len(f.VisitorID) + len(f.SourceURL) + len(f.DestinationURL) + len(f.Source) +
		len(f.Attributes) + len(f.Traceparent)
}
