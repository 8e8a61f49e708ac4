package query

import (
	"context"
	"errors"
	"time"

	"tributary/commission/internal/application/change"
	"tributary/commission/internal/domain/commission"
	"tributary/commission/internal/domain/decision"
	"tributary/commission/internal/domain/event"
	"tributary/commission/internal/domain/rule"
)

// ExplanationReader reads the data of explanations.
type ExplanationReader interface {
	DecisionReader
	// Commission returns one commission, or commission.ErrNotFound.
	Commission(ctx context.Context, owner Owner, id string) (commission.Snapshot, error)
	// RulesAt returns the rules at a revision.
	RulesAt(ctx context.Context, revision int64) (*rule.Set, error)
	// History returns the audit rows about a subject that was read for its owner, oldest first.
	History(ctx context.Context, subjectType, subjectID string) ([]change.Record, error)
	// Before returns what an adjustment of an event was derived from.
	Before(ctx context.Context, adjustment commission.Snapshot) (Before, error)
	// EventsOf returns all events of the one user that the owner is limited to, of those known at
	// the time. ErrTooWide is returned if that takes too long.
	EventsOf(ctx context.Context, owner Owner, known time.Time) ([]event.Event, error)
}

// Explained is an explanation with the commission, if any, and its changes by operators.
type Explained struct {
	Explanation *decision.Explanation // nil for an adjustment
	Comparison  *Comparison           // of an adjustment that a replay made
	Decided     Decided
	Commission  *commission.Snapshot
	History     []change.Record
}

// Explain explains how a decision and its commission were reached.
type Explain struct{ reader ExplanationReader }

// NewExplain returns the query. It is safe for concurrent use.
func NewExplain(reader ExplanationReader) *Explain { return &Explain{reader: reader} }

// Commission explains a commission. commission.ErrNotFound is returned for an unknown commission,
// or one that the caller may not see.
func (q *Explain) Commission(ctx context.Context, caller Caller, id string) (Explained, error) {
	found, err := q.reader.Commission(ctx, caller.Owner(), id)
	if err != nil {
		return Explained{}, err
	}

	out := Explained{}

	switch {
	case found.Kind != commission.Adjustment:
		out, err = q.Decision(ctx, caller, found.EventID)
	case found.EventID != "":
		out.Comparison, err = q.compare(ctx, caller, found)
	}

	if err != nil {
		return Explained{}, err
	}

	out.Commission = &found

	out.History, err = q.reader.History(ctx, "commission", id)
	if c := out.Comparison; c != nil && err == nil {
		var requested []change.Record

		requested, err = q.reader.History(ctx, "replay", c.Replay.ID)
		out.History = append(out.History, requested...)
	}

	return out, err
}

// Decision explains the decision about an event. decision.ErrNotFound is returned for an unknown
// event, or one of a user whose data the caller may not see.
func (q *Explain) Decision(ctx context.Context, caller Caller, eventID string) (Explained, error) {
	decided, err := q.reader.Decision(ctx, caller.Owner(), eventID)
	if err != nil {
		return Explained{}, err
	}

	rules, err := q.reader.RulesAt(ctx, decided.Revision)
	if err != nil {
		return Explained{}, err
	}

	var original *decision.Decision
	if decided.OriginalID != "" {
		found, err := q.reader.Decision(ctx, caller.Owner(), decided.OriginalID)
		switch {
		case err == nil:
			original = &found.Decision
		case !errors.Is(err, decision.ErrNotFound):
			return Explained{}, err
		}
	}

	x := decision.Explain(decided.Decision, original, rules)

	return Explained{Explanation: &x, Decided: decided}, nil
}
