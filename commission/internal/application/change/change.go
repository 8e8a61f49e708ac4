// Package change (application) is shared by all changes that operators make: the request's actor
// and reason, and the repetition of the first answer.
package change

import (
	"context"
	"time"

	"tributary/commission/internal/domain/effect"
)

// Request says who wants a change, and why. It is stored with the change in one transaction, as a
// row of the audit and under its key.
type Request struct {
	Actor     string
	RequestID string
	Reason    string
	Now       time.Time

	Key  string   // the caller's Idempotency-Key, or ""
	Hash [32]byte // of operation and content: another hash under the same key is refused
	// Render returns the answer to store under the key.
	Render func(result any) ([]byte, error)
}

// ReplayedError is returned if the change was made before under the same key. Body is the first
// answer.
type ReplayedError struct{ Body []byte }

// Error returns the message.
func (*ReplayedError) Error() string { return "the request was answered before" }

// CheckVersion returns ErrVersion unless wanted, from If-Match, is the current
// version, or 0 for any.
func CheckVersion(wanted, there int) error {
	if wanted != 0 && wanted != there {
		return ErrVersion.New("The resource was changed meanwhile. Read it again and decide again.")
	}

	return nil
}

// Outcome is what a change writes beside its aggregate, in the same transaction.
type Outcome struct {
	Record Record   // none is written if it names no action
	More   []Record // about other subjects
	Effect effect.Effect
	Answer []byte // stored under the request's key, if any
}

// Outcome returns what the request writes: the record completed with actor, time and reason, and
// the answer for its key, rendered from result.
func (r Request) Outcome(record Record, caused effect.Effect, result any) (Outcome, error) {
	out := Outcome{Record: r.Completed(record), Effect: caused}
	if r.Key == "" {
		return out, nil
	}

	answer, err := r.Render(result)
	out.Answer = answer

	return out, err
}

// Completed returns the record with actor, time and reason.
func (r Request) Completed(record Record) Record {
	record.At = r.Now
	record.Actor = r.Actor
	record.Reason = r.Reason
	record.RequestID = r.RequestID

	return record
}

// CheckGain returns ErrOwnGain if the actor is the user whose money the change is
// about, whatever roles the actor has.
func (r Request) CheckGain(userID string) error {
	if r.Actor != userID {
		return nil
	}

	return ErrOwnGain.New("The money is your own: another person must do this.")
}

// Anonymous is the actor of a change while authentication is off: callers cannot be distinguished.
const Anonymous = "anonymous"

// CheckSecond returns ErrSecondPerson if the actor is the one who made what is to
// be approved.
func (r Request) CheckSecond(maker string) error {
	if r.Actor != maker || r.Actor == Anonymous {
		return nil
	}

	return ErrSecondPerson.New("You made it yourself: another operator must approve it.")
}

// Record is a row of the audit.
type Record struct {
	At            time.Time
	Actor         string
	Action        string
	SubjectType   string // commission, payout, rule or replay
	SubjectID     string
	Reason        string
	Before, After string
	RequestID     string
}

// Journal records a change that takes more than one transaction.
type Journal interface {
	// Known returns a *ReplayedError if the key was used for the same request, and
	// fault.ErrKeyReused if it was used for another.
	Known(ctx context.Context, request Request) error
	// Note stores the audit row and the answer under the key. It returns a *ReplayedError if a
	// concurrent request was first.
	Note(ctx context.Context, request Request, record Record, result any) error
}
