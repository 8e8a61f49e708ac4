package rest

import (
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-json-experiment/json/jsontext"

	"tributary/tracking/internal/domain/event"
)

// The request types document the bodies; package rest reads the bodies itself, and the rules are
// those of package event.

// EventRequest is an event as callers send it.
type EventRequest struct {
	EventID         string   `json:"event_id,omitempty" minLength:"1" maxLength:"128" doc:"Makes a retry safe; without one the service gives a UUIDv7."`
	UserID          string   `json:"user_id,omitempty" minLength:"1" maxLength:"128" doc:"Who earns. Required, unless partner_id says it." example:"user123"`
	EventType       string   `json:"event_type,omitempty" enum:"view,click,engagement,lead,sale,purchase,refund,void,chargeback" doc:"What happened. Required, unless interaction_type says it." example:"purchase"`
	OccurredAt      string   `json:"occurred_at,omitempty" format:"date-time" doc:"When it happened, kept to the microsecond; at most 5 minutes ahead. Without it, the time of receipt."`
	CampaignID      string   `json:"campaign_id,omitempty" minLength:"1" maxLength:"128"`
	Metadata        Metadata `json:"metadata,omitzero"`
	PartnerID       string   `json:"partner_id,omitempty" minLength:"1" maxLength:"128" doc:"Another spelling of user_id; both must agree."`
	InteractionType string   `json:"interaction_type,omitempty" enum:"view,click,engagement,lead,sale,purchase,refund,void,chargeback" doc:"Another spelling of event_type; both must agree."`
	VisitorID       string   `json:"visitor_id,omitempty" minLength:"1" maxLength:"128"`
	SourceURL       string   `json:"source_url,omitempty" format:"uri" maxLength:"2048" doc:"Absolute http or https URL; it is not fetched."`
	DestinationURL  string   `json:"destination_url,omitempty" format:"uri" maxLength:"2048" doc:"Absolute http or https URL; it is not fetched."`
}

// BatchRequest is the body of a batch.
type BatchRequest struct {
	Events []EventRequest `json:"events" maxItems:"1000" nullable:"false"`
}

// CloudEventRequest is a CloudEvent 1.0 in structured mode.
type CloudEventRequest struct {
	_ struct{} `additionalProperties:"true"`

	SpecVersion     string       `json:"specversion" enum:"1.0"`
	ID              string       `json:"id" minLength:"1" maxLength:"128" doc:"Is the event_id, alone: unique over all sources. The same id from another source is a conflict (409)."`
	Source          string       `json:"source" minLength:"1" maxLength:"2048" doc:"Who tells."`
	Type            string       `json:"type" doc:"An event_type, alone or as tributary.tracking.<event_type>.v1." example:"tributary.tracking.purchase.v1"`
	Subject         string       `json:"subject,omitempty" minLength:"1" maxLength:"128" doc:"Is the user_id, unless data says it."`
	Time            string       `json:"time,omitempty" format:"date-time" doc:"Is occurred_at."`
	DataContentType string       `json:"datacontenttype,omitempty" example:"application/json"`
	DataSchema      string       `json:"dataschema,omitempty" doc:"Kept in attributes."`
	Traceparent     string       `json:"traceparent,omitempty" doc:"The trace that the event travels in, in place of the request's."`
	Data            EventRequest `json:"data,omitzero" doc:"The event. What the attributes say may be left out, or must agree."`
}

// raw is JSON that is kept to the letter.
type raw struct{ text jsontext.Value }

// MarshalJSON gives the text as it was received.
func (r raw) MarshalJSON() ([]byte, error) { return r.text, nil }

// UnmarshalJSON keeps the text.
func (r *raw) UnmarshalJSON(text []byte) error {
	r.text = slices.Clone(text)
	return nil
}

// IsZero tells whether there is none.
func (r raw) IsZero() bool { return len(r.text) == 0 }

// Attributes is a JSON object.
type Attributes struct{ raw }

// Schema documents it.
func (Attributes) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{
		Type:                 huma.TypeObject,
		AdditionalProperties: true,
		Description: "What a CloudEvent says beside its data and has no meaning here: " +
			"dataschema and extensions, as they came first.",
	}
}

// Metadata is any JSON object.
type Metadata struct{ raw }

// Schema documents it.
func (Metadata) Schema(huma.Registry) *huma.Schema {
	one, longest := 1, 128
	identifier := func(doc string) *huma.Schema {
		return &huma.Schema{
			Type:        huma.TypeString,
			MinLength:   &one,
			MaxLength:   &longest,
			Description: doc,
		}
	}

	return &huma.Schema{
		Type:                 huma.TypeObject,
		AdditionalProperties: true,
		Description:          "Any members; these have meaning, the rest is kept.",
		Properties: map[string]*huma.Schema{
			"amount": {
				OneOf: []*huma.Schema{{Type: huma.TypeNumber}, {Type: huma.TypeString}},
				Description: "Major units, read exactly from the text: at most 12 integer " +
					"digits and as many decimals as the currency has, beside zeros. Required for purchase and sale.",
			},
			"currency": {
				Type: huma.TypeString,
				Description: "ISO 4217; USD when absent, but for a refund, void or chargeback " +
					"the currency of its original.",
				Examples: []any{"USD"},
			},
			"product_id": identifier("What was bought."),
			"order_id": identifier("The number of the order that a sale or purchase belongs to, " +
				"or that a refund, void or chargeback undoes. An order is named by user_id, " +
				"campaign_id and this number; it earns once."),
			"original_event_id": identifier("The event that a refund, void or chargeback undoes."),
			"self_referral": {
				OneOf: []*huma.Schema{
					{Type: huma.TypeBoolean},
					{Type: huma.TypeString, Enum: []any{"true", "false"}},
				},
				Description: "Whether the user bought from themselves: then the event earns " +
					"nothing. False when absent.",
			},
		},
		Examples: []any{map[string]any{"amount": 100, "product_id": "prod456"}},
	}
}

// Event is an event as callers get it.
type Event struct {
	EventID        string     `json:"event_id"`
	UserID         string     `json:"user_id"`
	EventType      string     `json:"event_type" enum:"view,click,engagement,lead,sale,purchase,refund,void,chargeback"`
	OccurredAt     string     `json:"occurred_at" format:"date-time"`
	ReceivedAt     string     `json:"received_at" format:"date-time"`
	CampaignID     string     `json:"campaign_id,omitempty"`
	Metadata       Metadata   `json:"metadata,omitzero"`
	VisitorID      string     `json:"visitor_id,omitempty"`
	SourceURL      string     `json:"source_url,omitempty"`
	DestinationURL string     `json:"destination_url,omitempty"`
	Source         string     `json:"source,omitempty" doc:"The source of a CloudEvent."`
	Attributes     Attributes `json:"attributes,omitzero"`
	seq            int64
}

func eventOf(entry event.Entry) Event {
	f := entry.Event.Facts()

	return Event{
		EventID:        f.ID,
		UserID:         f.UserID,
		EventType:      string(f.Type),
		OccurredAt:     timeText(f.OccurredAt),
		ReceivedAt:     timeText(f.ReceivedAt),
		CampaignID:     f.CampaignID,
		Metadata:       Metadata{raw{jsontext.Value(f.Metadata)}},
		VisitorID:      f.VisitorID,
		SourceURL:      f.SourceURL,
		DestinationURL: f.DestinationURL,
		Source:         f.Source,
		Attributes:     Attributes{raw{jsontext.Value(f.Attributes)}},
		seq:            entry.Seq,
	}
}

func timeText(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }

const traceparentLength = 55

// validTraceparent gives the text back if it is a W3C traceparent of version 00, "" otherwise.
func validTraceparent(text string) string {
	if len(text) != traceparentLength || !strings.HasPrefix(text, "00-") || text[35] != '-' ||
		text[52] != '-' {
		return ""
	}

	for i := range len(text) {
		if c := text[i]; c != '-' && (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return ""
		}
	}

	return text
}
