package command

import (
	"context"

	"tributary/commission/internal/application/change"
	"tributary/commission/internal/domain/batch"
	"tributary/commission/internal/domain/commission"
	"tributary/commission/internal/domain/payout"
)

// CreateBatch assembles payout batches.
type CreateBatch struct {
	batches  Batches
	newID    func() string
	fourEyes bool
}

// NewCreateBatch returns the handler. With fourEyes another person than its maker must approve a
// batch. It is safe for concurrent use.
func NewCreateBatch(batches Batches, newID func() string, fourEyes bool) *CreateBatch {
	return &CreateBatch{batches: batches, newID: newID, fourEyes: fourEyes}
}

// Handle creates a draft of the oldest requested payouts, without those of the actor. It returns
// the faults of Batches.Create and batch.New, and validation_failed for a reason that is not one.
func (h *CreateBatch) Handle(
	ctx context.Context,
	request change.Request,
	wanted batch.Wanted,
) (batch.Snapshot, error) {
	if err := commission.CheckReason(request.Reason); err != nil {
		return batch.Snapshot{}, err
	}

	wanted.ID = h.newID()
	wanted.MadeBy = request.Actor
	wanted.FourEyes = h.fourEyes
	wanted.Reason = request.Reason

	var made batch.Snapshot
	err := h.batches.Create(
		ctx,
		request,
		wanted,
		func(payouts []*payout.Payout) (batch.Batch, change.Outcome, error) {
			b, caused, err := batch.New(wanted, payouts, request.Now)
			if err != nil {
				return b, change.Outcome{}, err
			}

			made = b.Snapshot()
			outcome, err := request.Outcome(
				batchRecord("make", batch.Snapshot{}, made),
				caused,
				made,
			)

			return b, outcome, err
		},
	)

	return made, err
}
