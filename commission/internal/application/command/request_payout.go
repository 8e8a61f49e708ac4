package command

import (
	"context"
	"time"

	"tributary/commission/internal/domain/effect"
	"tributary/commission/internal/domain/ledger"
	"tributary/commission/internal/domain/payout"
)

// RequestPayout decides payout requests, and sets the amount aside if the balance covers it.
type RequestPayout struct {
	payouts Payouts
	minimum payout.Minimum
	now     func() time.Time
}

// NewRequestPayout returns the handler, which rejects payouts below the minimum. It is safe for
// concurrent use.
func NewRequestPayout(
	payouts Payouts,
	minimum payout.Minimum,
	now func() time.Time,
) *RequestPayout {
	return &RequestPayout{payouts: payouts, minimum: minimum, now: now}
}

// Handle decides the request. A request whose id is known moves nothing: Handle returns the
// payout that was made before, which notes the first request that asks for something else.
func (h *RequestPayout) Handle(ctx context.Context, wanted payout.Wanted) (payout.Snapshot, error) {
	now := h.now().UTC().Truncate(time.Microsecond)

	if wanted.Refusal == "" && h.minimum.Refuses(wanted.Amount) {
		wanted.Refusal = payout.ReasonMinimum
	}

	stored, _, err := h.payouts.Create(
		ctx,
		wanted,
		now,
		func(funds ledger.Funds) (payout.Payout, effect.Effect, error) {
			return payout.Request(wanted, funds, now)
		},
	)

	return stored, err
}
