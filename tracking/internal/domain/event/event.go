// Package event (domain) is the tracking event: what may be said of something that happened, and
// when two reports say the same.
package event

import (
	"cmp"
	"time"

	"tributary/platform/fault"
)

// Event is an accepted event. It never changes.
type Event struct{ facts Facts }

// Entry is an event with its place in the log.
type Entry struct {
	Seq   int64
	Event Event
}

// Facts are what an event consists of. Empty text means absent. Times are UTC, to the microsecond.
type Facts struct {
	ID              string
	UserID          string
	Type            Type
	OccurredAt      time.Time
	ReceivedAt      time.Time
	CampaignID      string
	ProductID       string
	OrderID         string
	OriginalEventID string
	// major units, plain decimal notation, the digits as given; no more than the currency has
	Amount         string
	Currency       string // ISO 4217, only when the caller named one
	Metadata       string // JSON text of the object, as received
	VisitorID      string
	SourceURL      string
	DestinationURL string
	Source         string
	Attributes     string // JSON text of an object
	Traceparent    string
	Hash           Hash
}

// Receipt is what the service adds to an event when it comes in. ID is taken when the caller names
// none.
type Receipt struct {
	ID          string
	At          time.Time
	Traceparent string
}

// New checks everything that a caller says and returns the event, or every fault at once.
func New(in Input, receipt Receipt) (Event, fault.Fields) {
	c := checker{}
	at := receipt.At.UTC().Truncate(time.Microsecond)
	e := Facts{
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

	return Event{facts: e}, nil
}

// Restore makes an event of facts that were stored once; they are not checked again.
func Restore(facts Facts) Event { return Event{facts: facts} }

// Facts gives what the event consists of.
func (e Event) Facts() Facts { return e.facts }

// ID identifies the event.
func (e Event) ID() string { return e.facts.ID }

// Hash identifies the content.
func (e Event) Hash() Hash { return e.facts.Hash }

// ReceivedAt is when the service took the event.
func (e Event) ReceivedAt() time.Time { return e.facts.ReceivedAt }

// Size is about the number of bytes that the event takes in memory: all its text, and metadata once
// more, since whoever works on the event has that in a second form too (the request its canonical
// one, the relay the message's).
func (e Event) Size() int {
	f := &e.facts

	return 512 + len(f.ID) + len(f.UserID) + len(f.CampaignID) + len(f.ProductID) +
		len(f.OrderID) + len(f.OriginalEventID) + len(f.Amount) + 2*len(f.Metadata) +
		len(f.VisitorID) + len(f.SourceURL) + len(f.DestinationURL) + len(f.Source) +
		len(f.Attributes) + len(f.Traceparent)
}
