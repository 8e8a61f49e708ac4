// Package query holds the reading side: what can be asked about commissions, decisions, balances
// and payouts. Application layer.
package query

import (
	"context"
	"time"

	"tributary/commission/internal/domain/commission"
	"tributary/commission/internal/domain/decision"
	"tributary/platform/fault"
)

// CommissionFilter narrows a list; empty members do not. From is inclusive, To exclusive.
type CommissionFilter struct {
	UserID, CampaignID, ProductID, EventType, Status, Kind, Currency string
	OccurredFrom, OccurredTo                                         time.Time
}

// TooWide is the code of a fault that says: a search that would take longer than is allowed was
// given up.
const TooWide = "search_too_wide"

// Slice asks for at most Limit rows that follow the one with the id After, "" for the first ones.
type Slice struct {
	Limit int
	After string
}

// Decided is a stored decision.
type Decided struct {
	decision.Decision

	CommissionID string
	DecidedAt    time.Time
	ResolvedAt   time.Time // of a reversal that had been parked, else zero
}

// Commissions reads commissions and decisions.
type Commissions interface {
	// List gives commissions, newest first. Rows that are added meanwhile are newer than those
	// still to come, so paging by the last id misses none and repeats none.
	List(ctx context.Context, filter CommissionFilter, slice Slice) ([]commission.Commission, error)
	// Commission gives one; a fault with code commission_not_found when there is none.
	Commission(ctx context.Context, id string) (commission.Commission, error)
	// Decision gives that of the event; a fault with code decision_not_found when there is none.
	Decision(ctx context.Context, eventID string) (Decided, error)
}

// ErrNoCommission is a commission that is not there, or that is nobody's business.
func ErrNoCommission() error {
	return fault.New(fault.NotFound, "commission_not_found", "There is no such commission.")
}

// ErrNoDecision is a decision that is not there, or that is nobody's business.
func ErrNoDecision() error {
	return fault.New(
		fault.NotFound,
		"decision_not_found",
		"There is no decision for such an event, at least not yet.",
	)
}
