package command

import (
	"time"

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

// Hash hashes what commands ask for. Its text reveals nothing of personal data in the content.
type Hash func(content, commandID string) string

// Stamper stamps commands. It is safe for concurrent use.
type Stamper struct {
	ids  IDs
	hash Hash
	now  func() time.Time
	uses uses
}

// NewStamper returns a Stamper that remembers no key yet.
func NewStamper(ids IDs, hash Hash, now func() time.Time) *Stamper {
	return &Stamper{ids: ids, hash: hash, now: now}
}

// Stamp returns the stamp of a new command. With an idempotency key the id is derived from the
// caller, the type and the key, so that a retry is the same command to every consumer. By the hash
// of the content, the canonical text of the request, consumers distinguish a retry from another
// request.
func (s *Stamper) Stamp(
	kind command.Type,
	from Origin,
) (command.Stamp, error) {
	if !command.ValidIdempotencyKey(from.IdempotencyKey) {
		var faults fault.Fields
		faults.Add(
			"Idempotency-Key",
			fault.ErrInvalidValue,
			"must be 1 to 255 printable ASCII characters",
		)

		return command.Stamp{}, faults.Err()
	}

	if from.IdempotencyKey != "" {
		id := s.ids.Derived(from.Caller.UserID(), string(kind), from.IdempotencyKey)

		stamp, err := command.NewStamp(id, kind, from.Caller, from.IdempotencyKey, s.now())

		return stamp.WithRequestHash(s.hash(from.Content, id)), err
	}

	id, err := s.ids.New()
	if err != nil {
		return command.Stamp{}, err
	}

	return command.NewStamp(id, kind, from.Caller, "", s.now())
}

// Claim is called before a valid command is published. fault.ErrKeyReused is returned if
// this process remembers that the key was used for another request. It remembers only the latest
// maxUses keys.
func (s *Stamper) Claim(stamp command.Stamp) error {
	if stamp.IdempotencyKey() == "" || s.uses.claim(stamp.ID(), stamp.RequestHash()) {
		return nil
	}

	return fault.ErrKeyReused.New("This Idempotency-Key was used before with another content.")
}
