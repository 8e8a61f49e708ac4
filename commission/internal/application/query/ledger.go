package query

import (
	"context"
	"time"

	"tributary/commission/internal/domain/ledger"
	"tributary/platform/money"
)

// Transfer is a row of the ledger: an amount that has moved from one account of a user to another.
type Transfer struct {
	ID           string
	At           time.Time
	UserID       string
	From, To     ledger.Account
	Amount       money.Amount // positive
	CommissionID string       // "" for a payout
	PayoutID     string       // "" for a commission
}

// LedgerFilter narrows the ledger. Empty fields match all. From is inclusive, To is exclusive.
type LedgerFilter struct {
	UserID       string
	Currency     string
	Account      string // into or out of it
	CommissionID string
	PayoutID     string
	From, To     time.Time
}

// LedgerReader reads the ledger.
type LedgerReader interface {
	// Transfers returns at most limit transfers, the newest first, that follow the one at the
	// position after, which is zero for the first ones.
	Transfers(
		ctx context.Context,
		owner Owner,
		filter LedgerFilter,
		limit int,
		after Position,
	) ([]Transfer, error)
}

// ListLedger lists transfers of money.
type ListLedger struct{ reader LedgerReader }

// NewListLedger returns the query. It is safe for concurrent use.
func NewListLedger(reader LedgerReader) *ListLedger { return &ListLedger{reader: reader} }

// Handle returns a page of the transfers that the caller may see, as LedgerReader.Transfers does.
// fault.ErrForeignUser is returned if the caller may not see those of the filter's user.
func (q *ListLedger) Handle(
	ctx context.Context,
	caller Caller,
	filter LedgerFilter,
	limit int,
	after Position,
) ([]Transfer, error) {
	owner, err := caller.OwnerOf(filter.UserID)
	if err != nil {
		return nil, err
	}

	return q.reader.Transfers(ctx, owner, filter, limit, after)
}
