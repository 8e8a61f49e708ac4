package query

import (
	"context"
	"time"

	"tributary/commission/internal/domain/commission"
	"tributary/commission/internal/domain/ledger"
	"tributary/platform/money"
)

// Item is a part of what a payout pays: a commission, or a part of it. Those of a payout sum to it.
type Item struct {
	Position ItemPosition

	CommissionID string
	EventID      string // "" for an adjustment by an operator
	OrderID      string
	CampaignID   string
	Kind         commission.Kind
	OccurredAt   time.Time
	Amount       money.Amount // what the payout pays; negative for a clawback that it nets
	Whole        money.Amount // of the commission
}

// ItemPosition is a position in the list of items: earnings and other credits first, as they became
// available, and then what is netted.
type ItemPosition struct {
	Side     ledger.Side // "" for the first ones
	Interval string      // where the interval begins, in minor units
	Position string      // where the item begins
}

// ListPayoutItems lists what payouts pay.
type ListPayoutItems struct {
	payouts PayoutReader
	reader  PaymentReader
}

// NewListPayoutItems returns the query. It is safe for concurrent use.
func NewListPayoutItems(payouts PayoutReader, reader PaymentReader) *ListPayoutItems {
	return &ListPayoutItems{payouts: payouts, reader: reader}
}

// Handle returns a page of the items of the payout, as PaymentReader.Items does. payout.ErrNotFound
// is returned for an unknown payout, or one that the caller may not see.
func (q *ListPayoutItems) Handle(
	ctx context.Context,
	caller Caller,
	id string,
	limit int,
	after ItemPosition,
) ([]Item, error) {
	owner := caller.Owner()
	if _, err := q.payouts.Payout(ctx, owner, id); err != nil {
		return nil, err
	}

	return q.reader.Items(ctx, owner, id, limit, after)
}
