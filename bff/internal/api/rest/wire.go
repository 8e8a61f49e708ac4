package rest

import (
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-json-experiment/json/jsontext"

	"tributary/bff/internal/application/submit"
)

// object is a JSON object that is kept as text and passed on unchanged. Null is treated as absent.
type object struct{ text string }

// UnmarshalJSON keeps the text. The schema checks that it is an object.
func (o *object) UnmarshalJSON(raw []byte) error {
	if jsontext.Value(raw).Kind() != jsontext.KindNull {
		o.text = string(raw)
	}

	return nil
}

// MarshalJSON returns the text.
func (o object) MarshalJSON() ([]byte, error) {
	if o.text == "" {
		return []byte("null"), nil
	}

	return []byte(o.text), nil
}

func (object) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeObject, AdditionalProperties: true}
}

// The domain checks these values, so that the answer lists every fault with its own code. Their
// rules are documented in extensions, which huma's validation ignores.

// word is a short name such as paypal or photo.
type word string

func (word) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{
		Type:       huma.TypeString,
		Extensions: map[string]any{"pattern": `^[a-z][a-z0-9_]{0,63}$`},
	}
}

// link is an absolute http or https URL.
type link string

func (link) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{
		Type:       huma.TypeString,
		Extensions: map[string]any{"format": "uri", "pattern": `^https?://[A-Za-z0-9]`},
	}
}

// accepted is a consent, which can only be true.
type accepted bool

func (accepted) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{
		Type:       huma.TypeBoolean,
		Extensions: map[string]any{"enum": []any{true}},
	}
}

// receipt is the answer to every command.
type receipt struct {
	Body struct {
		CommandID   string `json:"command_id" format:"uuid" doc:"The id of the command. Consumers act on an id only once."`
		CommandType string `json:"command_type" enum:"campaign.accept,evidence.upload,payment.request" doc:"The type of the command."`
		Status      string `json:"status" enum:"submitted" doc:"The broker has stored the command; its outcome is decided later."`
		UserID      string `json:"user_id" doc:"The user of the token." example:"user123"`
		SubmittedAt string `json:"submitted_at" format:"date-time" doc:"When the command was accepted."`
	}
}

func receiptOf(r submit.Receipt) *receipt {
	out := &receipt{}
	out.Body.CommandID = r.CommandID
	out.Body.CommandType = string(r.CommandType)
	out.Body.Status = "submitted"
	out.Body.UserID, out.Body.SubmittedAt = r.UserID, r.SubmittedAt.UTC().Format(time.RFC3339Nano)

	return out
}

// Idempotent is embedded in the input of every command. It is exported because huma reads only
// exported fields.
type Idempotent struct {
	IdempotencyKey string `header:"Idempotency-Key" maxLength:"255" doc:"Makes a retry the same command: the same caller and key have the same command_id. With another content the answer is 422 idempotency_key_reused, or 202 if this replica does not remember the first request. Only the first takes effect; conflicted_at of the payment shows the conflict."`
}
