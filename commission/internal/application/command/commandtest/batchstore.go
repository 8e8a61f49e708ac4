package commandtest

import (
	"cmp"
	"context"
	"slices"

	"tributary/commission/internal/application/change"
	"tributary/commission/internal/application/command"
	"tributary/commission/internal/domain/batch"
	"tributary/commission/internal/domain/payout"
)

// Batches returns the repository of payout batches.
func (s *Store) Batches() command.Batches { return batches{s} }

type batches struct{ *Store }

func (s batches) Create(
	_ context.Context,
	request change.Request,
	wanted batch.Wanted,
	fn func([]*payout.Payout) (batch.Batch, change.Outcome, error),
) error {
	return s.Once(request, func() (change.Outcome, error) {
		claimed := s.claimable(wanted)

		made, outcome, err := fn(claimed)
		if err == nil {
			s.save(made, claimed...)
		}

		return outcome, err
	})
}

func (s batches) Update(
	_ context.Context,
	request change.Request,
	id string,
	fn func(*batch.Batch) (change.Outcome, error),
) error {
	return s.change(request, id, func(
		b *batch.Batch,
		payouts []*payout.Payout,
	) (change.Outcome, error) {
		outcome, err := fn(b)

		if err == nil && b.Snapshot().Status == batch.Cancelled {
			for _, p := range payouts {
				p.Release(request.Now)
			}
		}

		return outcome, err
	})
}

func (s batches) Open(
	_ context.Context,
	request change.Request,
	id string,
	fn func(*batch.Batch, []payout.Snapshot) (change.Outcome, error),
) error {
	return s.change(request, id, func(
		b *batch.Batch,
		payouts []*payout.Payout,
	) (change.Outcome, error) {
		var list []payout.Snapshot
		for _, p := range payouts {
			list = append(list, p.Snapshot())
		}

		return fn(b, list)
	})
}

func (s batches) Settle(
	_ context.Context,
	request change.Request,
	id string,
	fn func(*batch.Batch, []*payout.Payout) (change.Outcome, error),
) error {
	return s.change(request, id, fn)
}

// change stores the batch and its payouts, the oldest first, as fn changes them.
func (s batches) change(
	request change.Request,
	id string,
	fn func(*batch.Batch, []*payout.Payout) (change.Outcome, error),
) error {
	return s.Once(request, func() (change.Outcome, error) {
		if _, known := s.batches[id]; !known {
			return change.Outcome{}, batch.ErrNotFound
		}

		b := s.batch(id)
		payouts := s.oldest(func(p payout.Snapshot) bool { return p.BatchID == id })

		outcome, err := fn(&b, payouts)
		if err == nil {
			s.save(b, payouts...)
		}

		return outcome, err
	})
}

// batch returns the batch, and the zero Batch for an unknown id.
func (s batches) batch(id string) batch.Batch {
	var payees []string

	for _, p := range s.payouts {
		if p.BatchID == id {
			payees = append(payees, p.UserID)
		}
	}

	return batch.Restore(s.batches[id], payees)
}

// claimable returns the payouts that the batch can be made of.
func (s batches) claimable(wanted batch.Wanted) []*payout.Payout {
	found := s.oldest(func(p payout.Snapshot) bool {
		return p.Status == payout.Requested && p.BatchID == "" &&
			p.Amount.Currency() == wanted.Currency && p.Method == wanted.Method &&
			!p.CreatedAt.After(wanted.Cutoff) && p.UserID != wanted.MadeBy
	})

	return found[:min(wanted.Limit, len(found))]
}

// oldest returns the selected payouts, the oldest first.
func (s batches) oldest(selected func(payout.Snapshot) bool) []*payout.Payout {
	var rows []payout.Snapshot

	for _, p := range s.payouts {
		if selected(p) {
			rows = append(rows, p)
		}
	}

	slices.SortFunc(rows, func(a, b payout.Snapshot) int {
		return cmp.Or(a.CreatedAt.Compare(b.CreatedAt), cmp.Compare(a.ID, b.ID))
	})

	var found []*payout.Payout
	for _, row := range rows {
		found = append(found, new(payout.Restore(row)))
	}

	return found
}

// save stores the batch, unless it is the zero Batch, and the payouts.
func (s batches) save(b batch.Batch, payouts ...*payout.Payout) {
	if after := b.Snapshot(); after.ID != "" {
		s.batches[after.ID] = after
	}

	for _, p := range payouts {
		after := p.Snapshot()
		s.payouts[after.ID] = after

		if after.Status != payout.Requested && after.Status != payout.Completed {
			s.funds.release(after.ID)
		}
	}
}
