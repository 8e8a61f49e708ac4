package command

import (
	"context"

	"tributary/commission/internal/application/change"
	"tributary/commission/internal/domain/batch"
	"tributary/commission/internal/domain/commission"
)

// CancelBatch cancels payout batches.
type CancelBatch struct{ batches Batches }

// NewCancelBatch returns the handler. It is safe for concurrent use.
func NewCancelBatch(batches Batches) *CancelBatch { return &CancelBatch{batches: batches} }

// Handle cancels the batch and frees its payouts for another one. Only with recall it cancels a
// batch that may be at the bank already. It returns the faults of Batches.Update and
// batch.Batch.Cancel, version_mismatch, own_gain_refused if a payout of the batch is the actor's,
// and validation_failed for a reason that is not one.
func (h *CancelBatch) Handle(
	ctx context.Context,
	request change.Request,
	act BatchAction,
	recall bool,
) (batch.Snapshot, error) {
	if err := commission.CheckReason(request.Reason); err != nil {
		return batch.Snapshot{}, err
	}

	return changeBatch(ctx, h.batches, request, act.named("cancel"), func(b *batch.Batch) error {
		return b.Cancel(recall, request.Reason, request.Now)
	})
}
