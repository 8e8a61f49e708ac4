// Package pulsar (infrastructure) publishes commands to Apache Pulsar.
package pulsar

import (
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"tributary/bff/internal/domain/campaign"
	"tributary/bff/internal/domain/command"
	"tributary/bff/internal/domain/evidence"
	"tributary/bff/internal/domain/payment"
)

const schemaVersion = "v1"

// envelope is the message of every command. It never contains the token.
type envelope struct {
	CommandID      string   `json:"command_id"`
	CommandType    string   `json:"command_type"`
	SchemaVersion  string   `json:"schema_version"`
	UserID         string   `json:"user_id"`
	IssuedAt       string   `json:"issued_at"`
	Identity       identity `json:"identity"`
	IdempotencyKey string   `json:"idempotency_key,omitempty"`
	RequestHash    string   `json:"request_hash,omitempty"`
	Payload        any      `json:"payload"`
}

type identity struct {
	Subject   string   `json:"subject"`
	Issuer    string   `json:"issuer"`
	TokenID   string   `json:"token_id"`
	Roles     []string `json:"roles"`
	ExpiresAt string   `json:"expires_at,omitempty"`
	Verified  bool     `json:"verified"`
}

type acceptancePayload struct {
	CampaignID    string         `json:"campaign_id"`
	AcceptedTerms bool           `json:"accepted_terms"`
	Metadata      jsontext.Value `json:"metadata,omitzero"`
}

type uploadPayload struct {
	CampaignID   string         `json:"campaign_id"`
	EvidenceType string         `json:"evidence_type"`
	FileURL      string         `json:"file_url"`
	Metadata     jsontext.Value `json:"metadata,omitzero"`
}

type paymentPayload struct {
	Amount         string         `json:"amount"`
	Currency       string         `json:"currency"`
	PaymentMethod  string         `json:"payment_method"`
	AccountDetails jsontext.Value `json:"account_details"`
}

func encodeAcceptance(a campaign.Acceptance) ([]byte, error) {
	return encode(
		a.Stamp(),
		acceptancePayload{
			CampaignID:    a.CampaignID(),
			AcceptedTerms: true,
			Metadata:      raw(a.Metadata()),
		},
	)
}

func encodeUpload(u evidence.Upload) ([]byte, error) {
	return encode(u.Stamp(), uploadPayload{
		CampaignID:   u.CampaignID(),
		EvidenceType: u.Kind(),
		FileURL:      u.FileURL(),
		Metadata:     raw(u.Metadata()),
	})
}

// encodePayment encodes the command with the account details as given: in clear, or sealed.
func encodePayment(r payment.Request, details jsontext.Value) ([]byte, error) {
	return encode(r.Stamp(), paymentPayload{
		Amount:         r.Amount().String(),
		Currency:       r.Amount().Currency().String(),
		PaymentMethod:  r.Method(),
		AccountDetails: details,
	})
}

func encode(stamp command.Stamp, payload any) ([]byte, error) {
	claims := stamp.Caller().Claims()

	id := identity{
		Subject:  claims.Subject,
		Issuer:   claims.Issuer,
		TokenID:  claims.TokenID,
		Roles:    claims.Roles,
		Verified: claims.Verified,
	}
	if !claims.ExpiresAt.IsZero() {
		id.ExpiresAt = claims.ExpiresAt.Format(time.RFC3339)
	}

	return json.Marshal(envelope{
		CommandID:      stamp.ID(),
		CommandType:    string(stamp.Type()),
		SchemaVersion:  schemaVersion,
		UserID:         stamp.Caller().UserID(),
		IssuedAt:       stamp.IssuedAt().Format(time.RFC3339Nano),
		Identity:       id,
		IdempotencyKey: stamp.IdempotencyKey(),
		RequestHash:    stamp.RequestHash(),
		Payload:        payload,
	})
}

// raw returns the text as a JSON value; "" is an absent value.
func raw(text string) jsontext.Value {
	if text == "" {
		return nil
	}

	return jsontext.Value(text)
}
