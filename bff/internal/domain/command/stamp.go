// Package command (domain) is shared by all commands: the stamp that identifies a command, its
// caller and its time.
package command

import (
	"time"

	"tributary/bff/internal/domain/caller"
	"tributary/platform/fault"
	"tributary/platform/identifier"
)

// Type is a kind of command, as named in messages and answers.
type Type string

// Command is a valid command of a user.
type Command interface{ Stamp() Stamp }

const maxIdempotencyKey = 255

// Stamp identifies a command. Consumers act on an id only once, so a command that is sent again
// keeps its id.
type Stamp struct {
	id             string
	kind           Type
	caller         caller.Caller
	idempotencyKey string
	requestHash    string
	issuedAt       time.Time
}

// NewStamp returns a stamp. id and issuedAt come from the application; idempotencyKey is "" if the
// caller sent none.
func NewStamp(
	id string,
	kind Type,
	from caller.Caller,
	idempotencyKey string,
	issuedAt time.Time,
) (Stamp, error) {
	var faults fault.Fields
	if id == "" {
		faults.Add("command_id", fault.ErrRequired, "is required")
	}

	if from.UserID() == "" {
		faults.Add("user_id", fault.ErrRequired, "is required")
	}

	if !ValidIdempotencyKey(idempotencyKey) {
		faults.Add(
			"Idempotency-Key",
			fault.ErrInvalidValue,
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

// ID returns the command's id, a UUID.
func (s Stamp) ID() string { return s.id }

// Type returns the kind of command.
func (s Stamp) Type() Type { return s.kind }

// Caller returns the sender of the command.
func (s Stamp) Caller() caller.Caller { return s.caller }

// IdempotencyKey returns the caller's key for the attempt, or "".
func (s Stamp) IdempotencyKey() string { return s.idempotencyKey }

// WithRequestHash returns the stamp with a hash of the request.
func (s Stamp) WithRequestHash(hash string) Stamp {
	s.requestHash = hash
	return s
}

// RequestHash differs between different requests with the same id. It is "" without an idempotency
// key.
func (s Stamp) RequestHash() string { return s.requestHash }

// IssuedAt returns when the service accepted the command, in UTC.
func (s Stamp) IssuedAt() time.Time { return s.issuedAt }

// ValidIdempotencyKey reports whether the key is at most 255 printable ASCII characters. "" is
// valid and means no key.
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
		faults.Add(field, fault.ErrRequired, "is required")
		return
	}

	identifier.Check(faults, field, value)
}
