package command

import (
	"context"

	"tributary/commission/internal/application/change"
	"tributary/commission/internal/domain/batch"
	"tributary/commission/internal/domain/commission"
)

// SendBatch notes that the bank or provider has a batch.
type SendBatch struct{ batches Batches }

// NewSendBatch returns the handler. It is safe for concurrent use.
func NewSendBatch(batches Batches) *SendBatch { return &SendBatch{batches: batches} }

// Handle moves an approved batch to sent; from then on its results can be entered. The faults are
// those of ApproveBatch.Handle but second_person_required.
func (h *SendBatch) Handle(
	ctx context.Context,
	request change.Request,
	act BatchAction,
) (batch.Snapshot, error) {
	if err := commission.CheckReason(request.Reason); err != nil {
		return batch.Snapshot{}, err
	}

	return changeBatch(ctx, h.batches, request, act.named("send"), func(b *batch.Batch) error {
		return b.Send(request.Actor, request.Reason, request.Now)
	})
}
