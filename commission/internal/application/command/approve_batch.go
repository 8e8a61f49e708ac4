package command

import (
	"context"

	"tributary/commission/internal/application/change"
	"tributary/commission/internal/domain/batch"
	"tributary/commission/internal/domain/commission"
)

// ApproveBatch approves payout batches.
type ApproveBatch struct {
	batches  Batches
	fourEyes bool
}

// NewApproveBatch returns the handler. With fourEyes no maker approves its own batch, not even one
// that was made without. It is safe for concurrent use.
func NewApproveBatch(batches Batches, fourEyes bool) *ApproveBatch {
	return &ApproveBatch{batches: batches, fourEyes: fourEyes}
}

// Handle fixes the payouts of a draft. It returns the faults of Batches.Update and
// batch.Batch.Approve, version_mismatch, own_gain_refused if a payout of the batch is the actor's,
// and validation_failed for a reason that is not one.
func (h *ApproveBatch) Handle(
	ctx context.Context,
	request change.Request,
	act BatchAction,
) (batch.Snapshot, error) {
	if err := commission.CheckReason(request.Reason); err != nil {
		return batch.Snapshot{}, err
	}

	return changeBatch(ctx, h.batches, request, act.named("approve"), func(b *batch.Batch) error {
		return b.Approve(batch.Approval{
			By:       request.Actor,
			Reason:   request.Reason,
			FourEyes: h.fourEyes,
		}, request.Now)
	})
}
