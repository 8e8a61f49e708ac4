// Package payouts takes requests to be paid out, sets the amount aside when it is covered, and
// closes them. Application layer.
package payouts

import (
	"context"
	"time"

	"tributary/commission/internal/application/change"
	"tributary/commission/internal/domain/commission"
	"tributary/commission/internal/domain/ledger"
	"tributary/commission/internal/domain/payout"
	"tributary/platform/fault"
)

// Store keeps payouts and the ledger.
type Store interface {
	// RequestPayout decides the request against the balance, which is locked meanwhile, and stores
	// the payout with its transfer, in one transaction. A request with a known id changes nothing
	// and gives the payout that it made before, as it stands.
	RequestPayout(
		ctx context.Context,
		request payout.Payout,
		now time.Time,
	) (made payout.Payout, known bool, err error)
	// ClosePayout closes a payout of the version (0 for any) with its transfer and audit, in one
	// transaction. Faults: payout_not_found, version_mismatch, transition_refused,
	// idempotency_key_reused; a *change.ReplayedError for a repetition.
	ClosePayout(ctx context.Context, request change.Request, c Closing) (payout.Payout, error)
	// Payout gives one; a fault with code payout_not_found when there is none.
	Payout(ctx context.Context, id string) (payout.Payout, error)
	// Payouts gives at most limit payouts, newest first, that follow the one at the position after,
	// zero for the first ones.
	Payouts(ctx context.Context, filter Filter, limit int, after Position) ([]payout.Payout, error)
	// Balances gives the user's balances by currency; none for a user that never earned.
	Balances(ctx context.Context, userID string) ([]ledger.Balance, error)
}

// ErrNoPayout is a payout that is not there, or that is nobody's business.
func ErrNoPayout() error {
	return fault.New(fault.NotFound, "payout_not_found", "There is no such payout.")
}

// Filter narrows the list of payouts.
type Filter struct{ UserID, Status string }

// Position is a place in the list of payouts.
type Position struct {
	CreatedAt time.Time
	ID        string
}

// Closing is how a payout ends.
type Closing struct {
	ID      string
	Version int // from If-Match, 0 for any
	To      payout.Status
}

// Handler takes and closes payouts. It is safe for concurrent use.
type Handler struct {
	store Store
	now   func() time.Time
}

// New makes a handler.
func New(store Store, now func() time.Time) *Handler { return &Handler{store: store, now: now} }

// Request decides a request; asked again with the same id it changes nothing.
func (h *Handler) Request(ctx context.Context, request payout.Payout) (payout.Payout, error) {
	made, _, err := h.store.RequestPayout(ctx, request, h.now().UTC().Truncate(time.Microsecond))
	return made, err
}

// Close completes, fails or cancels a payout.
func (h *Handler) Close(
	ctx context.Context,
	request change.Request,
	c Closing,
) (payout.Payout, error) {
	if err := commission.CheckReason(request.Reason); err != nil {
		return payout.Payout{}, err
	}

	return h.store.ClosePayout(ctx, request, c)
}
