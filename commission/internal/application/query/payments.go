package query

import (
	"context"

	"tributary/commission/internal/domain/commission"
	"tributary/platform/money"
)

// PaymentStatus is how far a commission is paid. A clawback is paid when a payout nets it.
type PaymentStatus string

const (
	Unpaid     PaymentStatus = "unpaid"
	InPayout   PaymentStatus = "in_payout"   // no part is paid, and a requested payout holds a part
	PartlyPaid PaymentStatus = "partly_paid" // a part is paid
	Paid       PaymentStatus = "paid"
)

// Payment is what payouts have paid of a commission, and what requested ones hold. Both have the
// sign of the commission's amount, and are 0 for one that no payout holds.
type Payment struct{ Paid, Held money.Amount }

// Status returns the state of the payment of a commission of the amount.
func (p Payment) Status(amount money.Amount) PaymentStatus {
	switch {
	case !amount.IsZero() && p.Paid.Minor() == amount.Minor():
		return Paid
	case !p.Paid.IsZero():
		return PartlyPaid
	case !p.Held.IsZero():
		return InPayout
	}

	return Unpaid
}

// PaymentReader reads what payouts pay of commissions.
type PaymentReader interface {
	// Payments returns the payments of the owner's commissions by id. A commission that no payout
	// holds may be absent.
	Payments(ctx context.Context, owner Owner, ids []string) (map[string]Payment, error)
	// Shares returns at most limit payouts of the owner's commission, newest first, that follow the
	// one at the position after, which is zero for the first ones. The account details are left
	// out.
	Shares(
		ctx context.Context,
		owner Owner,
		commissionID string,
		limit int,
		after Position,
	) ([]Share, error)
	// Items returns at most limit items of the owner's payout that follow the one at the position
	// after: none for a payout that was rejected, and what it had held for one that failed or was
	// cancelled. A commission of which a payout pays parts that do not adjoin has an item for each.
	Items(
		ctx context.Context,
		owner Owner,
		payoutID string,
		limit int,
		after ItemPosition,
	) ([]Item, error)
}

// GetPayments reads how commissions are paid.
type GetPayments struct{ reader PaymentReader }

// NewGetPayments returns the query. It is safe for concurrent use.
func NewGetPayments(reader PaymentReader) *GetPayments { return &GetPayments{reader: reader} }

// Handle returns the payments of the commissions that the caller may see, as PaymentReader does.
func (q *GetPayments) Handle(
	ctx context.Context,
	caller Caller,
	rows []commission.Snapshot,
) (map[string]Payment, error) {
	ids := make([]string, len(rows))
	for i, row := range rows {
		ids[i] = row.ID
	}

	return q.reader.Payments(ctx, caller.Owner(), ids)
}
