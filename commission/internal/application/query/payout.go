package query

import (
	"context"

	"tributary/commission/internal/domain/payout"
)

// GetPayout reads one payout.
type GetPayout struct{ reader PayoutReader }

// NewGetPayout returns the query. It is safe for concurrent use.
func NewGetPayout(reader PayoutReader) *GetPayout { return &GetPayout{reader: reader} }

// Handle returns the payout. payout.ErrNotFound is returned for an unknown payout, or one
// that the caller may not see.
func (q *GetPayout) Handle(ctx context.Context, caller Caller, id string) (payout.Snapshot, error) {
	return q.reader.Payout(ctx, caller.Owner(), id)
}
