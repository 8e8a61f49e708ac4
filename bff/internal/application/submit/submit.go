// Package submit (application) is what the three commands share: stamping a command, and the
// receipt that its caller gets.
package submit

import (
	"time"

	"tributary/bff/internal/domain/caller"
	"tributary/bff/internal/domain/command"
	"tributary/platform/fault"
)

// IDs makes command ids.
type IDs interface {
	// New gives an id that was never given before; later ids sort after earlier ones.
	New() (string, error)
	// Derived gives the same id for the same parts, and another for any others.
	Derived(parts ...string) string
}

// Stamper stamps commands. It is safe for concurrent use.
type Stamper struct {
	ids IDs
	now func() time.Time
}

// NewStamper makes a stamper.
func NewStamper(ids IDs, now func() time.Time) *Stamper {
	return &Stamper{ids: ids, now: now}
}

// Stamp identifies a new command. With an idempotency key the id is made of the caller, the type
// and the key, so that a retry is the same command to every consumer.
func (s *Stamper) Stamp(
	kind command.Type,
	from caller.Caller,
	idempotencyKey string,
) (command.Stamp, error) {
	if !command.ValidIdempotencyKey(idempotencyKey) {
		var faults fault.Fields
		faults.Add(
			"Idempotency-Key",
			"invalid_value",
			"must be 1 to 255 printable ASCII characters",
		)

		return command.Stamp{}, faults.Err()
	}

	if idempotencyKey != "" {
		id := s.ids.Derived(from.UserID(), string(kind), idempotencyKey)
		return command.NewStamp(id, kind, from, idempotencyKey, s.now())
	}

	id, err := s.ids.New()
	if err != nil {
		return command.Stamp{}, err
	}

	return command.NewStamp(id, kind, from, "", s.now())
}

// Receipt is what the caller of a stored command gets.
type Receipt struct {
	CommandID   string
	CommandType command.Type
	UserID      string
	SubmittedAt time.Time
}

// ReceiptOf makes the receipt of a command that the broker has stored.
func ReceiptOf(stamp command.Stamp) Receipt {
	return Receipt{
		CommandID:   stamp.ID(),
		CommandType: stamp.Type(),
		UserID:      stamp.Caller().UserID(),
		SubmittedAt: stamp.IssuedAt(),
	}
}
