package query

import (
	"context"
	"time"

	"tributary/commission/internal/domain/batch"
)

// BatchReader reads payout batches.
type BatchReader interface {
	// Batch returns one batch, or the fault batch_not_found.
	Batch(ctx context.Context, id string) (batch.Snapshot, error)
	// Batches returns at most limit batches, newest first, that follow the one at the position
	// after, which is zero for the first ones.
	Batches(
		ctx context.Context,
		filter BatchFilter,
		limit int,
		after Position,
	) ([]batch.Snapshot, error)
}

// BatchFilter narrows the list of batches. An empty field matches all.
type BatchFilter struct {
	Status                 string
	CreatedFrom, CreatedTo time.Time
}

// Batches reads payout batches for those who see the data of every user.
type Batches struct{ reader BatchReader }

// NewBatches returns the query. It is safe for concurrent use.
func NewBatches(reader BatchReader) *Batches { return &Batches{reader: reader} }

// Get returns the batch. The fault batch_not_found is returned for an unknown batch, and to a
// caller who sees only its own data.
func (q *Batches) Get(ctx context.Context, caller Caller, id string) (batch.Snapshot, error) {
	if !caller.SeesAll() {
		return batch.Snapshot{}, batch.ErrNotFound
	}

	return q.reader.Batch(ctx, id)
}

// List returns a page of the batches, as BatchReader.Batches does, and none to a caller who sees
// only its own data.
func (q *Batches) List(
	ctx context.Context,
	caller Caller,
	filter BatchFilter,
	limit int,
	after Position,
) ([]batch.Snapshot, error) {
	if !caller.SeesAll() {
		return nil, nil
	}

	return q.reader.Batches(ctx, filter, limit, after)
}
