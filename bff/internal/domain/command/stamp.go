// Package command (domain) is what all commands have in common: the stamp that says which command
// it is, who gives it and when.
package command

import (
	"time"

	"tributary/bff/internal/domain/caller"
	"tributary/platform/fault"
	"tributary/platform/identifier"
)

// Type names a kind of command in messages and answers.
type Type string

// The commands of this service.
const (
	CampaignAccept Type = "campaign.accept"
	EvidenceUpload Type = "evidence.upload"
	PaymentRequest Type = "payment.request"
)

const maxIdempotencyKey = 255

// Stamp identifies a command. Consumers act once on an id, so a command that is sent again keeps
// its id.
type Stamp struct {
	id             string
	kind           Type
	caller         caller.Caller
	idempotencyKey string
	issuedAt       time.Time
}

// NewStamp makes a stamp. id and issuedAt come from the application; idempotencyKey is "" when the
// caller gave none.
func NewStamp(
	id string,
	kind Type,
	from caller.Caller,
	idempotencyKey string,
	issuedAt time.Time,
) (Stamp, error) {
	var faults fault.Fields
	if id == "" {
		faults.Add("command_id", "required", "is required")
	}

	if from.UserID() == "" {
		faults.Add("user_id", "required", "is required")
	}

	if !ValidIdempotencyKey(idempotencyKey) {
		faults.Add(
			"Idempotency-Key",
			"invalid_value",
			"must be 1 to 255 printable ASCII characters",
		)
	}

	if err := faults.Err(); err != nil {
		return Stamp{}, err
	}

	return Stamp{
		id:             id,
		kind:           kind,
		caller:         from,
		idempotencyKey: idempotencyKey,
		issuedAt:       issuedAt.UTC(),
	}, nil
}

// ID is the command's id, a UUID.
func (s Stamp) ID() string { return s.id }

// Type is the kind of command.
func (s Stamp) Type() Type { return s.kind }

// Caller is who gives the command.
func (s Stamp) Caller() caller.Caller { return s.caller }

// IdempotencyKey is what the caller named the attempt, or "".
func (s Stamp) IdempotencyKey() string { return s.idempotencyKey }

// IssuedAt is when the service accepted the command, in UTC.
func (s Stamp) IssuedAt() time.Time { return s.issuedAt }

// ValidIdempotencyKey tells whether the key may be used: at most 255 printable ASCII characters; ""
// stands for none.
func ValidIdempotencyKey(key string) bool {
	if len(key) > maxIdempotencyKey {
		return false
	}

	for i := range len(key) {
		if key[i] < ' ' || key[i] > '~' {
			return false
		}
	}

	return true
}

// CheckIdentifier adds a fault unless value is an identifier.
func CheckIdentifier(faults *fault.Fields, field, value string) {
	if value == "" {
		faults.Add(field, "required", "is required")
		return
	}

	identifier.Check(faults, field, value)
}
