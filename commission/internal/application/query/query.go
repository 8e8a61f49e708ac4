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

// ErrTooWide is returned for a search that was aborted because it took too long.
var ErrTooWide = fault.Define(
	fault.Invalid,
	"search_too_wide",
	"The search took too long and was aborted. Narrow the filter, for example by user or by time.",
)

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
	List(ctx context.Context, filter CommissionFilter, slice Slice) ([]commission.Snapshot, error)
	// Commission returns one commission. commission.ErrNotFound is returned if it does not
	// exist.
	Commission(ctx context.Context, id string) (commission.Snapshot, error)
	// Decision returns the decision about the event. decision.ErrNotFound is returned if there
	// is no decision.
	Decision(ctx context.Context, eventID string) (Decided, error)
}
