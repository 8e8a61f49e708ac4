// Package submit (application) is shared by the three commands: it creates their stamps and their
// receipts.
package submit

import (
	"time"

	"tributary/bff/internal/domain/caller"
	"tributary/bff/internal/domain/command"
	"tributary/platform/fault"
)

// IDs creates command ids.
type IDs interface {
	// New returns a unique id. Later ids sort after earlier ones.
	New() (string, error)
	// Derived returns the same id for the same parts, and different ids for different parts.
	Derived(parts ...string) string
}

// Stamper stamps commands. It is safe for concurrent use.
type Stamper struct {
	ids IDs
	now func() time.Time
}

// NewStamper returns a Stamper.
func NewStamper(ids IDs, now func() time.Time) *Stamper {
	return &Stamper{ids: ids, now: now}
}

// Stamp returns the stamp of a new command. With an idempotency key the id is derived from the
// caller, the type and the key, so that a retry is the same command to every consumer.
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

// Receipt is returned to the caller of a stored command.
type Receipt struct {
	CommandID   string
	CommandType command.Type
	UserID      string
	SubmittedAt time.Time
}

// ReceiptOf returns the receipt of a command that the broker has stored.
func ReceiptOf(stamp command.Stamp) Receipt {
	return Receipt{
		CommandID:   stamp.ID(),
		CommandType: stamp.Type(),
		UserID:      stamp.Caller().UserID(),
		SubmittedAt: stamp.IssuedAt(),
	}
}
