package query

import (
	"context"
	"time"

	"tributary/commission/internal/domain/ledger"
)

// BalanceFilter narrows the list of balances. Empty fields match all.
type BalanceFilter struct {
	UserID   string
	Currency string
	// NonZero leaves out the balances of which nothing is pending, available or in a payout.
	NonZero bool
	// AsOf is the moment of the balances: what was posted before it counts. Zero is now.
	AsOf time.Time
}

// BalancePosition is a position in the list of balances.
type BalancePosition struct{ UserID, Currency string }

// ListBalances lists the balances of users.
type ListBalances struct{ reader BalanceReader }

// NewListBalances returns the query. It is safe for concurrent use.
func NewListBalances(reader BalanceReader) *ListBalances { return &ListBalances{reader: reader} }

// Handle returns a page of the balances that the caller may see, as BalanceReader does.
// fault.ErrForeignUser is returned if the caller may not see those of the filter's user.
func (q *ListBalances) Handle(
	ctx context.Context,
	caller Caller,
	filter BalanceFilter,
	limit int,
	after BalancePosition,
) ([]ledger.Balance, error) {
	owner, err := caller.OwnerOf(filter.UserID)
	if err != nil {
		return nil, err
	}

	return q.reader.ListBalances(ctx, owner, filter, limit, after)
}
