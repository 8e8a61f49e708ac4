// Package command (application) has a file for each command that a user can send: what is asked
// for, and how it becomes a valid command. Submitter stamps and publishes all of them.
package command

import (
	"context"
	"time"

	"tributary/bff/internal/domain/caller"
	"tributary/bff/internal/domain/command"
)

// Origin says where a request comes from. It is part of every request for a command.
type Origin struct {
	Caller         caller.Caller
	IdempotencyKey string // "" for no key
	Content        string // canonical text of the request; "" without a key
}

func (o Origin) origin() Origin { return o }

// Request is a request for a command, such as AcceptCampaign.
type Request interface {
	origin() Origin
	kind() command.Type
	// build returns the command, or an error that lists every fault of the request.
	build(stamp command.Stamp) (command.Command, error)
}

// Publisher passes commands to the services that act on them.
type Publisher interface {
	// Publish returns nil only after the broker has stored the command. It returns the faults
	// ErrBrokerUnavailable and ErrRefused (not stored) and ErrOutcomeUnknown (possibly stored).
	// Publishing the same command again is harmless.
	Publish(ctx context.Context, cmd command.Command) error
}

// Submitter publishes valid commands. It is safe for concurrent use.
type Submitter struct {
	stamper   *Stamper
	publisher Publisher
}

// NewSubmitter returns a submitter.
func NewSubmitter(stamper *Stamper, publisher Publisher) *Submitter {
	return &Submitter{stamper: stamper, publisher: publisher}
}

// Submit publishes the command that is asked for and returns its receipt. It does not publish an
// invalid command, or one that Claim refuses.
func (s *Submitter) Submit(ctx context.Context, request Request) (Receipt, error) {
	stamp, err := s.stamper.Stamp(request.kind(), request.origin())
	if err != nil {
		return Receipt{}, err
	}

	cmd, err := request.build(stamp)
	if err != nil {
		return Receipt{}, err
	}

	if err := s.stamper.Claim(stamp); err != nil {
		return Receipt{}, err
	}

	if err := s.publisher.Publish(ctx, cmd); err != nil {
		return Receipt{}, err
	}

	return receiptOf(stamp), nil
}

// Receipt is returned to the caller of a stored command.
type Receipt struct {
	CommandID   string
	CommandType command.Type
	UserID      string
	SubmittedAt time.Time
}

func receiptOf(stamp command.Stamp) Receipt {
	return Receipt{
		CommandID:   stamp.ID(),
		CommandType: stamp.Type(),
		UserID:      stamp.Caller().UserID(),
		SubmittedAt: stamp.IssuedAt(),
	}
}
