package query

import (
	"context"
	"time"

	"tributary/commission/internal/domain/payout"
)

// PayoutReader reads payouts.
type PayoutReader interface {
	// Payout returns one payout, or payout.ErrNotFound.
	Payout(ctx context.Context, owner Owner, id string) (payout.Snapshot, error)
	// Payouts returns at most limit payouts, newest first or as Updated says, that follow the one
	// at the position after, which is zero for the first ones.
	Payouts(
		ctx context.Context,
		owner Owner,
		filter PayoutFilter,
		limit int,
		after Position,
	) ([]payout.Snapshot, error)
}

// PayoutFilter narrows the list of payouts. Empty fields match all.
type PayoutFilter struct {
	UserID, Status, BatchID string

	CreatedFrom, CreatedTo time.Time
	Updated                Updated
}

// Position returns where the payout is in the list.
func (f PayoutFilter) Position(p payout.Snapshot) Position {
	if f.Updated.Asked() {
		return Position{At: p.UpdatedAt, ID: p.ID}
	}

	return Position{At: p.CreatedAt, ID: p.ID}
}

// ListPayouts lists payouts.
type ListPayouts struct{ reader PayoutReader }

// NewListPayouts returns the query. It is safe for concurrent use.
func NewListPayouts(reader PayoutReader) *ListPayouts { return &ListPayouts{reader: reader} }

// Handle returns a page of the payouts that the caller may see, as PayoutReader.Payouts does.
func (q *ListPayouts) Handle(
	ctx context.Context,
	caller Caller,
	filter PayoutFilter,
	limit int,
	after Position,
) ([]payout.Snapshot, error) {
	owner, err := caller.OwnerOf(filter.UserID)
	if err != nil {
		return nil, err
	}

	return q.reader.Payouts(ctx, owner, filter, limit, after)
}
