package command

import (
	"context"
	"log/slog"
	"time"

	"tributary/commission/internal/domain/commission"
	"tributary/commission/internal/domain/effect"
)

// ApproveDue approves commissions at the end of their hold period.
type ApproveDue struct {
	commissions Commissions
	now         func() time.Time
	logger      *slog.Logger
}

// NewApproveDue returns the handler. It is safe for concurrent use.
func NewApproveDue(
	commissions Commissions,
	now func() time.Time,
	logger *slog.Logger,
) *ApproveDue {
	return &ApproveDue{commissions: commissions, now: now, logger: logger}
}

// approveAtOnce is the number of commissions that one transaction approves.
const approveAtOnce = 500

// Handle approves all due commissions. What fails is left to the next call. Concurrent calls of
// several replicas wait for each other.
func (h *ApproveDue) Handle(ctx context.Context) {
	for ctx.Err() == nil {
		now := h.now().UTC()
		approved := 0

		found, err := h.commissions.UpdateDue(ctx, now, approveAtOnce, func(
			c *commission.Commission,
		) (effect.Effect, error) {
			caused, matured, err := c.Mature(now)
			if matured {
				approved++
			}

			return caused, err
		})
		if err != nil {
			h.logger.WarnContext(ctx, "cannot approve due commissions; will retry", "error", err)
			return
		}

		if approved > 0 {
			h.logger.InfoContext(ctx, "commissions approved", "count", approved)
		}

		if found < approveAtOnce {
			return
		}
	}
}
