package query

import (
	"context"

	"tributary/commission/internal/domain/payout"
	"tributary/platform/money"
)

// Share is the part of a commission that a payout pays, or would have paid before it failed or was
// cancelled. It has the sign of the commission's amount.
type Share struct {
	Payout payout.Snapshot
	Amount money.Amount
}

// ListCommissionPayouts lists the payouts of a commission.
type ListCommissionPayouts struct {
	commissions CommissionReader
	reader      PaymentReader
}

// NewListCommissionPayouts returns the query. It is safe for concurrent use.
func NewListCommissionPayouts(
	commissions CommissionReader,
	reader PaymentReader,
) *ListCommissionPayouts {
	return &ListCommissionPayouts{commissions: commissions, reader: reader}
}

// Handle returns a page of the payouts, as PaymentReader.Shares does. commission.ErrNotFound is
// returned for an unknown commission, or one that the caller may not see.
func (q *ListCommissionPayouts) Handle(
	ctx context.Context,
	caller Caller,
	id string,
	limit int,
	after Position,
) ([]Share, error) {
	owner := caller.Owner()
	if _, err := q.commissions.Commission(ctx, owner, id); err != nil {
		return nil, err
	}

	return q.reader.Shares(ctx, owner, id, limit, after)
}
