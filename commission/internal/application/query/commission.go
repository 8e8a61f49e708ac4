package query

import (
	"context"

	"tributary/commission/internal/domain/commission"
)

// CommissionReader reads commissions.
type CommissionReader interface {
	// Commission returns one commission, or commission.ErrNotFound.
	Commission(ctx context.Context, owner Owner, id string) (commission.Snapshot, error)
	// List returns commissions, newest first. Rows that are added meanwhile are newer than those
	// still to come, so paging by the last id misses none and repeats none.
	List(
		ctx context.Context,
		owner Owner,
		filter CommissionFilter,
		slice Slice,
	) ([]commission.Snapshot, error)
}

// GetCommission reads one commission.
type GetCommission struct{ reader CommissionReader }

// NewGetCommission returns the query. It is safe for concurrent use.
func NewGetCommission(reader CommissionReader) *GetCommission {
	return &GetCommission{reader: reader}
}

// Handle returns the commission. commission.ErrNotFound is returned for an unknown commission, or
// one that the caller may not see.
func (q *GetCommission) Handle(
	ctx context.Context,
	caller Caller,
	id string,
) (commission.Snapshot, error) {
	return q.reader.Commission(ctx, caller.Owner(), id)
}
