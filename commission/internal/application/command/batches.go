package command

import (
	"context"
	"fmt"

	"tributary/commission/internal/application/change"
	"tributary/commission/internal/domain/batch"
	"tributary/commission/internal/domain/effect"
	"tributary/commission/internal/domain/payout"
)

// Batches is the repository of payout batches. Each method is one transaction, and runs fn again
// after a race. An error of fn stores nothing and is returned. Each returns the fault
// idempotency_key_reused if the request's key was used for another request, and a
// *change.ReplayedError for a repetition, without running fn.
type Batches interface {
	// Create claims the oldest requested payouts that wanted describes and that are in no batch, at
	// most as many as it allows, without those of its maker, and stores the batch that fn returns
	// for them. Two calls never claim the same payout.
	Create(
		ctx context.Context,
		request change.Request,
		wanted batch.Wanted,
		fn func([]*payout.Payout) (batch.Batch, change.Outcome, error),
	) error
	// Update stores the batch as fn changes it, and releases its payouts if fn cancels it. It
	// returns the fault batch_not_found for an unknown id.
	Update(
		ctx context.Context,
		request change.Request,
		id string,
		fn func(*batch.Batch) (change.Outcome, error),
	) error
	// Open is Update for payment files: fn is also passed the payouts of the batch, the oldest
	// first, and the files that it adds to the batch are stored.
	Open(
		ctx context.Context,
		request change.Request,
		id string,
		fn func(*batch.Batch, []payout.Snapshot) (change.Outcome, error),
	) error
	// Settle is Update for result files: the payouts of the batch are stored as fn changes them,
	// too.
	Settle(
		ctx context.Context,
		request change.Request,
		id string,
		fn func(*batch.Batch, []*payout.Payout) (change.Outcome, error),
	) error
}

// changeBatch runs fn on a batch that pays nothing to the actor, and records it as the action.
func changeBatch(
	ctx context.Context,
	batches Batches,
	request change.Request,
	act BatchAction,
	fn func(*batch.Batch) error,
) (batch.Snapshot, error) {
	var after batch.Snapshot
	err := batches.Update(ctx, request, act.ID, func(b *batch.Batch) (change.Outcome, error) {
		before := b.Snapshot()
		if b.Pays(request.Actor) {
			return change.Outcome{}, request.CheckGain(request.Actor)
		}

		if err := change.CheckVersion(act.Version, before.Version); err != nil {
			return change.Outcome{}, err
		}

		if err := fn(b); err != nil {
			return change.Outcome{}, err
		}

		after = b.Snapshot()

		return request.Outcome(batchRecord(act.name, before, after), effect.Effect{}, after)
	})

	return after, err
}

// BatchAction names the batch that a change is about.
type BatchAction struct {
	ID      string
	Version int // from If-Match; 0 for any

	name string // in the audit
}

func (a BatchAction) named(name string) BatchAction {
	a.name = name
	return a
}

// batchRecord returns the audit's record of a change of a batch; before is zero for a new one.
func batchRecord(action string, before, after batch.Snapshot) change.Record {
	return change.Record{
		Action:      action,
		SubjectType: "payout_batch",
		SubjectID:   after.ID,
		Before:      auditedBatch(before),
		After:       auditedBatch(after),
	}
}

// auditedBatch returns the members of a batch that an audit row contains: all that can change.
func auditedBatch(s batch.Snapshot) string {
	if s.ID == "" {
		return ""
	}

	return fmt.Sprintf(
		`{"status":%q,"version":%d,"payouts":%d,"open":%d,"total_minor":%s,"currency":%q}`,
		s.Status,
		s.Version,
		s.Count,
		s.Open,
		s.Total.Minor(),
		s.Currency,
	)
}
