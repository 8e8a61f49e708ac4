package rest

import (
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-json-experiment/json/jsontext"

	"tributary/bff/internal/application/submit"
)

// object is a JSON object kept as its text: it is passed on as it came. Null is none.
type object struct{ text string }

// UnmarshalJSON keeps the text; that it is an object is the schema's affair.
func (o *object) UnmarshalJSON(raw []byte) error {
	if jsontext.Value(raw).Kind() != jsontext.KindNull {
		o.text = string(raw)
	}

	return nil
}

// Schema is that of any object.
func (object) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeObject, AdditionalProperties: true}
}

// receipt is the answer to every command.
type receipt struct {
	Body struct {
		CommandID   string `json:"command_id" format:"uuid" doc:"Consumers act once on it."`
		CommandType string `json:"command_type" enum:"campaign.accept,evidence.upload,payment.request"`
		Status      string `json:"status" enum:"submitted" doc:"The broker has stored the command; what becomes of it is decided later."`
		UserID      string `json:"user_id" doc:"Whose command it is: the user of the token."`
		SubmittedAt string `json:"submitted_at" format:"date-time"`
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

// Idempotent is embedded in the input of every command; it is exported because huma only looks into
// exported fields.
type Idempotent struct {
	IdempotencyKey string `header:"Idempotency-Key" maxLength:"255" doc:"Makes a retry the same command: the same caller and key give the same command_id."`
}
