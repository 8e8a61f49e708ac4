package query

import (
	"context"
	"time"

	"tributary/commission/internal/domain/decision"
)

// Decided is a stored decision.
type Decided struct {
	decision.Decision

	CommissionID string
	DecidedAt    time.Time
	ResolvedAt   time.Time // of a reversal that had been parked; otherwise zero
}

// DecisionReader reads decisions.
type DecisionReader interface {
	// Decision returns the decision about the event. decision.ErrNotFound is returned if there is
	// no decision.
	Decision(ctx context.Context, owner Owner, eventID string) (Decided, error)
}

// GetDecision reads the decision about an event.
type GetDecision struct{ reader DecisionReader }

// NewGetDecision returns the query. It is safe for concurrent use.
func NewGetDecision(reader DecisionReader) *GetDecision { return &GetDecision{reader: reader} }

// Handle returns the decision. decision.ErrNotFound is returned for an unknown event, or one of a
// user whose data the caller may not see.
func (q *GetDecision) Handle(ctx context.Context, caller Caller, eventID string) (Decided, error) {
	return q.reader.Decision(ctx, caller.Owner(), eventID)
}
