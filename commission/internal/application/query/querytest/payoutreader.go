package querytest

import (
	"context"

	"tributary/commission/internal/application/query"
	"tributary/commission/internal/domain/batch"
	"tributary/commission/internal/domain/payout"
)

// Payout implements query.PayoutReader.
func (r Reader) Payout(
	_ context.Context,
	owner query.Owner,
	id string,
) (payout.Snapshot, error) {
	return first(r.store.Content().Payouts, payout.ErrNotFound, func(p payout.Snapshot) bool {
		return p.ID == id && owner.Sees(p.UserID)
	})
}

// Payouts implements query.PayoutReader.
func (r Reader) Payouts(
	_ context.Context,
	owner query.Owner,
	f query.PayoutFilter,
	limit int,
	after query.Position,
) ([]payout.Snapshot, error) {
	l := list[payout.Snapshot]{
		rows:     r.store.Content().Payouts,
		position: f.Position,
		compare:  newest,
		selects: func(p payout.Snapshot) bool {
			return owner.Sees(p.UserID) &&
				equal(f.Status, string(p.Status)) &&
				equal(f.BatchID, p.BatchID) &&
				between(p.CreatedAt, f.CreatedFrom, f.CreatedTo) &&
				between(p.UpdatedAt, f.Updated.From, f.Updated.To)
		},
	}
	if f.Updated.Asked() {
		l.compare = oldest
	}

	found := l.page(limit, after)
	for i := range found {
		found[i].Details = ""
	}

	return found, nil
}

// Batch implements query.BatchReader.
func (r Reader) Batch(_ context.Context, id string) (batch.Snapshot, error) {
	return first(r.store.Content().Batches, batch.ErrNotFound, func(b batch.Snapshot) bool {
		return b.ID == id
	})
}

// Batches implements query.BatchReader.
func (r Reader) Batches(
	_ context.Context,
	f query.BatchFilter,
	limit int,
	after query.Position,
) ([]batch.Snapshot, error) {
	return list[batch.Snapshot]{
		rows:     r.store.Content().Batches,
		position: func(b batch.Snapshot) query.Position { return query.Position{At: b.MadeAt, ID: b.ID} },
		compare:  newest,
		selects: func(b batch.Snapshot) bool {
			return equal(f.Status, string(b.Status)) && between(b.MadeAt, f.CreatedFrom, f.CreatedTo)
		},
	}.page(limit, after), nil
}
