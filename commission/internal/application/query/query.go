// Package query (application) reads commissions, decisions, balances and payouts.
package query

import (
	"context"
	"time"

	"tributary/commission/internal/domain/commission"
	"tributary/commission/internal/domain/decision"
	"tributary/platform/fault"
)

// CommissionFilter narrows a list. Empty fields match all. From is inclusive, To is exclusive.
type CommissionFilter struct {
	UserID, CampaignID, ProductID, EventType, Status, Kind, Currency string
	OccurredFrom, OccurredTo                                         time.Time
}

// TooWide is the code of the fault for a search that was aborted because it took too long.
const TooWide = "search_too_wide"

// Slice selects at most Limit rows that follow the one with the id After, or the first ones if
// After is "".
type Slice struct {
	Limit int
	After string
}

// Decided is a stored decision.
type Decided struct {
	decision.Decision

	CommissionID string
	DecidedAt    time.Time
	ResolvedAt   time.Time // of a reversal that had been parked; otherwise zero
}

// Commissions reads commissions and decisions.
type Commissions interface {
	// List returns commissions, newest first. Rows that are added meanwhile are newer than those
	// still to come, so paging by the last id misses none and repeats none.
	List(ctx context.Context, filter CommissionFilter, slice Slice) ([]commission.Commission, error)
	// Commission returns one commission. Fault commission_not_found is returned if it does not
	// exist.
	Commission(ctx context.Context, id string) (commission.Commission, error)
	// Decision returns the decision about the event. Fault decision_not_found is returned if there
	// is no decision.
	Decision(ctx context.Context, eventID string) (Decided, error)
}

// ErrNoCommission returns the fault for a commission that does not exist, or that the caller may
// not see.
func ErrNoCommission() error {
	return fault.New(fault.NotFound, "commission_not_found", "The commission does not exist.")
}

// ErrNoDecision returns the fault for a decision that does not exist, or that the caller may not
// see.
func ErrNoDecision() error {
	return fault.New(
		fault.NotFound,
		"decision_not_found",
		"The event has no decision yet.",
	)
}
