package rest

import (
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-json-experiment/json/jsontext"

	"tributary/contracts/eventtype"
	"tributary/platform/httpapi"
	"tributary/tracking/internal/domain/event"
)

// eventType is a type of event in a request or an answer.
type eventType = httpapi.Enum[eventtype.Any]

// EventRequest is an event as callers send it. The request types document the bodies; package rest
// reads the bodies itself, and package event has the rules.
type EventRequest struct {
	EventID         string    `json:"event_id,omitempty" minLength:"1" maxLength:"128" doc:"Identifies the event across retries. Without one the service assigns a UUIDv7." example:"event789"`
	UserID          string    `json:"user_id,omitempty" minLength:"1" maxLength:"128" doc:"The user who earns. Required unless partner_id is present." example:"user123"`
	EventType       eventType `json:"event_type,omitempty" doc:"The type of the event. Required unless interaction_type is present." example:"purchase"`
	OccurredAt      string    `json:"occurred_at,omitempty" format:"date-time" doc:"When the event occurred, kept to the microsecond; at most 5 minutes in the future. The time of receipt if absent."`
	CampaignID      string    `json:"campaign_id,omitempty" minLength:"1" maxLength:"128" doc:"The campaign." example:"camp123"`
	Metadata        Metadata  `json:"metadata,omitzero" doc:"Any members; some have a meaning."`
	PartnerID       string    `json:"partner_id,omitempty" minLength:"1" maxLength:"128" doc:"Another spelling of user_id; both must agree."`
	InteractionType eventType `json:"interaction_type,omitempty" doc:"Another spelling of event_type; both must agree."`
	VisitorID       string    `json:"visitor_id,omitempty" minLength:"1" maxLength:"128" doc:"The visitor of the site."`
	SourceURL       string    `json:"source_url,omitempty" format:"uri" maxLength:"2048" doc:"Absolute http or https URL; it is not fetched."`
	DestinationURL  string    `json:"destination_url,omitempty" format:"uri" maxLength:"2048" doc:"Absolute http or https URL; it is not fetched."`
}

// BatchRequest is the body of a batch.
type BatchRequest struct {
	Events []EventRequest `json:"events" maxItems:"1000" nullable:"false" doc:"The events, at most 1000."`
}

// CloudEventRequest is a CloudEvent 1.0 in structured mode.
type CloudEventRequest struct {
	_ struct{} `additionalProperties:"true"`

	SpecVersion     string       `json:"specversion" enum:"1.0" doc:"The version of CloudEvents."`
	ID              string       `json:"id" minLength:"1" maxLength:"128" doc:"The event_id, unique over all sources. The same id from another source is a conflict (409)."`
	Source          string       `json:"source" minLength:"1" maxLength:"2048" doc:"The system that sends the event."`
	Type            string       `json:"type" doc:"An event_type, alone or as tributary.tracking.<event_type>.v1." example:"tributary.tracking.purchase.v1"`
	Subject         string       `json:"subject,omitempty" minLength:"1" maxLength:"128" doc:"The user_id, unless data contains it."`
	Time            string       `json:"time,omitempty" format:"date-time" doc:"The occurred_at."`
	DataContentType string       `json:"datacontenttype,omitempty" example:"application/json" doc:"The type of data; must be JSON."`
	DataSchema      string       `json:"dataschema,omitempty" doc:"Kept in attributes."`
	Traceparent     string       `json:"traceparent,omitempty" doc:"The trace of the event; replaces that of the request."`
	Data            EventRequest `json:"data,omitzero" doc:"The event. Fields that the attributes contain may be absent, or must agree."`
}

// raw is JSON that is kept unchanged.
type raw struct{ text jsontext.Value }

// MarshalJSON returns the text as it was received.
func (r raw) MarshalJSON() ([]byte, error) { return r.text, nil }

// UnmarshalJSON keeps the text.
func (r *raw) UnmarshalJSON(text []byte) error {
	r.text = slices.Clone(text)
	return nil
}

// IsZero reports whether the value is absent.
func (r raw) IsZero() bool { return len(r.text) == 0 }

// Attributes is a JSON object.
type Attributes struct{ raw }

func (Attributes) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{
		Type:                 huma.TypeObject,
		AdditionalProperties: true,
		Description: "The attributes of a CloudEvent that have no meaning here: " +
			"dataschema and extensions, as first received.",
	}
}

// Metadata is any JSON object.
type Metadata struct{ raw }

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
		Description:          "Any members. Those listed here have a meaning; the others are kept.",
		Properties: map[string]*huma.Schema{
			"amount": {
				Type:    huma.TypeString,
				Pattern: `^(0|[1-9][0-9]{0,11})(\.[0-9]{1,4})?$`,
				Description: "Major units with at most the decimals of the currency. " +
					"Required for purchase and sale. A JSON number is accepted too.",
				Examples: []any{"100.00"},
			},
			"currency": {
				Type: huma.TypeString,
				Description: "ISO 4217. USD if absent, except for a refund, void or chargeback: " +
					"then the currency of the original event.",
				Examples: []any{"USD"},
			},
			"product_id": identifier("The product bought."),
			"order_id": identifier("The number of the order that a sale or purchase belongs to, " +
				"or that a refund, void or chargeback reverses. An order is identified by user_id, " +
				"campaign_id and this number; it earns once."),
			"original_event_id": identifier("The event that a refund, void or chargeback reverses."),
			"self_referral": {
				OneOf: []*huma.Schema{
					{Type: huma.TypeBoolean},
					{Type: huma.TypeString, Enum: []any{"true", "false"}},
				},
				Description: "Whether the user bought from themselves. If so, the event earns " +
					"nothing. False if absent.",
			},
		},
		Examples: []any{map[string]any{"amount": "100.00", "product_id": "prod456"}},
	}
}

// Kept is the metadata of an event as it was sent.
type Kept struct{ raw }

func (Kept) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{
		Type:                 huma.TypeObject,
		AdditionalProperties: true,
		Description:          "The metadata, as it was sent.",
		Examples:             []any{map[string]any{"amount": "100.00", "product_id": "prod456"}},
	}
}

// Event is an event as callers receive it.
type Event struct {
	EventID        string     `json:"event_id" doc:"The id of the event." example:"event789"`
	UserID         string     `json:"user_id" doc:"The user who earns." example:"user123"`
	EventType      eventType  `json:"event_type" doc:"The type of the event."`
	OccurredAt     string     `json:"occurred_at" format:"date-time" doc:"When the event occurred."`
	ReceivedAt     string     `json:"received_at" format:"date-time" doc:"When the event was recorded."`
	CampaignID     string     `json:"campaign_id,omitempty" doc:"The campaign." example:"camp123"`
	Metadata       Kept       `json:"metadata,omitzero" doc:"The metadata of the event; some members have a meaning."`
	VisitorID      string     `json:"visitor_id,omitempty" doc:"The visitor of the site."`
	SourceURL      string     `json:"source_url,omitempty" doc:"The page that was shown or clicked."`
	DestinationURL string     `json:"destination_url,omitempty" doc:"Where the click led."`
	Source         string     `json:"source,omitempty" doc:"The source of a CloudEvent."`
	Attributes     Attributes `json:"attributes,omitzero"`
	seq            int64
}

func eventOf(entry event.Entry) Event {
	f := entry.Event.Snapshot()

	return Event{
		EventID:        f.ID,
		UserID:         f.UserID,
		EventType:      eventType(f.Type),
		OccurredAt:     timeText(f.OccurredAt),
		ReceivedAt:     timeText(f.ReceivedAt),
		CampaignID:     f.CampaignID,
		Metadata:       Kept{raw{jsontext.Value(f.Metadata)}},
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

// validTraceparent returns the text if it is a W3C traceparent of version 00, and "" otherwise.
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
