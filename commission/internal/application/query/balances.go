package query

import (
	"context"

	"tributary/commission/internal/domain/ledger"
)

// BalanceReader reads balances.
type BalanceReader interface {
	// Balances returns the owner's balances by currency, and no balance for a user who never
	// earned.
	Balances(ctx context.Context, owner Owner) ([]ledger.Balance, error)
	// ListBalances returns at most limit balances, by user and currency, that follow the one at the
	// position after, which is zero for the first ones. ErrTooWide is returned if they could not be
	// computed in time.
	ListBalances(
		ctx context.Context,
		owner Owner,
		filter BalanceFilter,
		limit int,
		after BalancePosition,
	) ([]ledger.Balance, error)
}

// GetBalances reads the balances of a user.
type GetBalances struct{ reader BalanceReader }

// NewGetBalances returns the query. It is safe for concurrent use.
func NewGetBalances(reader BalanceReader) *GetBalances { return &GetBalances{reader: reader} }

// Handle returns the balances of the user. fault.ErrForeignUser is returned if the caller may not
// see them.
func (q *GetBalances) Handle(
	ctx context.Context,
	caller Caller,
	userID string,
) ([]ledger.Balance, error) {
	owner, err := caller.OwnerOf(userID)
	if err != nil {
		return nil, err
	}

	return q.reader.Balances(ctx, owner)
}
