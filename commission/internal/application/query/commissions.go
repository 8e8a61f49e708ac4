package query

import (
	"context"
	"time"

	"tributary/commission/internal/domain/commission"
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

// ListCommissions lists commissions.
type ListCommissions struct{ reader CommissionReader }

// NewListCommissions returns the query. It is safe for concurrent use.
func NewListCommissions(reader CommissionReader) *ListCommissions {
	return &ListCommissions{reader: reader}
}

// Handle returns a page of the commissions that the caller may see, as CommissionReader.List does.
// fault.ErrForeignUser is returned for a filter by a user whose commissions the caller may not see.
func (q *ListCommissions) Handle(
	ctx context.Context,
	caller Caller,
	filter CommissionFilter,
	slice Slice,
) ([]commission.Snapshot, error) {
	owner, err := caller.OwnerOf(filter.UserID)
	if err != nil {
		return nil, err
	}

	return q.reader.List(ctx, owner, filter, slice)
}
