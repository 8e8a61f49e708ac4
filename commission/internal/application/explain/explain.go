// Package explain (application) explains how a decision and its commission were reached.
package explain

import (
	"context"
	"errors"
	"time"

	"tributary/commission/internal/application/change"
	"tributary/commission/internal/application/query"
	"tributary/commission/internal/domain/commission"
	"tributary/commission/internal/domain/decision"
	"tributary/commission/internal/domain/event"
	"tributary/commission/internal/domain/rule"
)

// Store reads the data of explanations.
type Store interface {
	query.Commissions
	// RulesAt returns the rules at a revision.
	RulesAt(ctx context.Context, revision int64) (*rule.Set, error)
	// History returns the audit rows about a subject, oldest first.
	History(ctx context.Context, subjectType, subjectID string) ([]change.Record, error)
	// Before returns what an adjustment of an event was derived from.
	Before(ctx context.Context, adjustment commission.Snapshot) (Before, error)
	// EventsOf returns all events of a user that were known at the time. query.ErrTooWide is
	// returned if that takes too long.
	EventsOf(ctx context.Context, userID string, known time.Time) ([]event.Event, error)
}

// Explained is an explanation with the commission, if any, and its changes by operators.
type Explained struct {
	Explanation *decision.Explanation // nil for an adjustment
	Comparison  *Comparison           // of an adjustment that a replay made
	Decided     query.Decided
	Commission  *commission.Snapshot
	History     []change.Record
}

// Handler explains commissions and decisions. It is safe for concurrent use.
type Handler struct{ store Store }

func New(store Store) *Handler { return &Handler{store: store} }

// Commission explains a commission. commission.ErrNotFound is returned if it does not exist.
func (h *Handler) Commission(ctx context.Context, id string) (Explained, error) {
	found, err := h.store.Commission(ctx, id)
	if err != nil {
		return Explained{}, err
	}

	out := Explained{}

	state := found
	switch {
	case state.Kind != commission.Adjustment:
		out, err = h.Decision(ctx, state.EventID)
	case state.EventID != "":
		out.Comparison, err = h.compare(ctx, found)
	}

	if err != nil {
		return Explained{}, err
	}

	out.Commission = &found

	out.History, err = h.store.History(ctx, "commission", id)
	if c := out.Comparison; c != nil && c.Replay != nil {
		out.History = append(out.History, *c.Replay)
	}

	return out, err
}

// Decision explains the decision about an event. decision.ErrNotFound is returned if there is
// no decision.
func (h *Handler) Decision(ctx context.Context, eventID string) (Explained, error) {
	decided, err := h.store.Decision(ctx, eventID)
	if err != nil {
		return Explained{}, err
	}

	rules, err := h.store.RulesAt(ctx, decided.Revision)
	if err != nil {
		return Explained{}, err
	}

	var original *decision.Decision
	if decided.OriginalID != "" {
		found, err := h.store.Decision(ctx, decided.OriginalID)
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
