// Package command (application) contains the use cases that change something, a file each, with the
// repositories that they need.
package command

import (
	"context"
	"time"

	"tributary/commission/internal/application/change"
	"tributary/commission/internal/domain/batch"
	"tributary/commission/internal/domain/effect"
	"tributary/commission/internal/domain/ledger"
	"tributary/commission/internal/domain/payout"
)

// Payouts is the repository of payouts. Each method is one transaction that holds the lock of the
// payout's user, and runs fn again after a race. An error of fn stores nothing and is returned.
type Payouts interface {
	// Create stores the payout that fn returns, with what it causes. fn is passed the user's funds
	// in the currency of the amount. If there is a payout of that id already, fn does not
	// run: Create returns the stored one, with the request noted at the time now if it conflicts,
	// and true.
	Create(
		ctx context.Context,
		wanted payout.Wanted,
		now time.Time,
		fn func(ledger.Funds) (payout.Payout, effect.Effect, error),
	) (stored payout.Snapshot, known bool, err error)
	// Update stores the payout and its batch as fn changes them, with the outcome that fn returns.
	// The batch is the zero Batch for a payout in none. Update returns the fault payout_not_found
	// for an unknown id, idempotency_key_reused if the request's key was used for another request,
	// and a *change.ReplayedError for a repetition, without running fn.
	Update(
		ctx context.Context,
		request change.Request,
		id string,
		fn func(*payout.Payout, *batch.Batch) (change.Outcome, error),
	) error
}
