// Package pulsar (infrastructure) publishes commands to Apache Pulsar.
package pulsar

import (
	"time"

	"github.com/go-json-experiment/json"

	"tributary/bff/internal/domain/command"
)

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

// encode returns the message of a command with the payload.
func encode(stamp command.Stamp, version string, payload any) ([]byte, error) {
	snapshot := stamp.Caller().Snapshot()

	id := identity{
		Subject:  snapshot.Subject,
		Issuer:   snapshot.Issuer,
		TokenID:  snapshot.TokenID,
		Roles:    snapshot.Roles,
		Verified: snapshot.Verified,
	}
	if !snapshot.ExpiresAt.IsZero() {
		id.ExpiresAt = snapshot.ExpiresAt.Format(time.RFC3339)
	}

	return json.Marshal(envelope{
		CommandID:      stamp.ID(),
		CommandType:    string(stamp.Type()),
		SchemaVersion:  version,
		UserID:         stamp.Caller().UserID(),
		IssuedAt:       stamp.IssuedAt().Format(time.RFC3339Nano),
		Identity:       id,
		IdempotencyKey: stamp.IdempotencyKey(),
		RequestHash:    stamp.RequestHash(),
		Payload:        payload,
	})
}
