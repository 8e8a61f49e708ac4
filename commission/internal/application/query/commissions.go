package query

import (
	"context"
	"time"

	"tributary/commission/internal/domain/commission"
	"tributary/platform/fault"
)

// CommissionFilter narrows a list. Empty fields match all. From is inclusive, To is exclusive.
type CommissionFilter struct {
	UserID, CampaignID, ProductID, OrderID, EventType, Status, Kind, Currency string

	OccurredFrom, OccurredTo time.Time
	CreatedFrom, CreatedTo   time.Time
	Updated                  Updated
}

// Updated narrows a list to the rows whose last change, or creation, is in a time. From is
// inclusive, To is exclusive; zero is unbounded. Such a list comes in the order of that change, the
// oldest first: a row that changes meanwhile comes again at the end, so none is missed.
type Updated struct{ From, To time.Time }

// Asked reports whether the list is one of changes.
func (u Updated) Asked() bool { return u != Updated{} }

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
	// UpdatedAt is when the row After was changed. Only lists of changes use it.
	UpdatedAt time.Time
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
