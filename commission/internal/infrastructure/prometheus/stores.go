package prometheus

import (
	"context"
	"time"

	"tributary/commission/internal/application/change"
	"tributary/commission/internal/application/command"
	"tributary/commission/internal/application/consume"
	"tributary/commission/internal/application/replay"
	"tributary/commission/internal/application/settle"
	"tributary/commission/internal/domain/batch"
	"tributary/commission/internal/domain/commission"
	"tributary/commission/internal/domain/effect"
	"tributary/commission/internal/domain/event"
	"tributary/commission/internal/domain/ledger"
	"tributary/commission/internal/domain/payout"
)

// Consuming returns a store that counts decisions.
func (m *Metrics) Consuming(store consume.Store) consume.Store { return consuming{store, m} }

type consuming struct {
	consume.Store

	metrics *Metrics
}

func (c consuming) Decide(
	ctx context.Context,
	events []event.Event,
	decide func(consume.State) (consume.Changes, error),
) error {
	var last consume.Changes

	err := c.Store.Decide(ctx, events, func(s consume.State) (made consume.Changes, err error) {
		last, err = decide(s)
		return last, err
	})
	if err == nil {
		c.metrics.decided(last)
	}

	return err
}

// Settling returns a store that counts changes of commissions by operators and by the clock.
func (m *Metrics) Settling(store settle.Store) settle.Store { return settling{store, m} }

type settling struct {
	settle.Store

	metrics *Metrics
}

func (s settling) Act(
	ctx context.Context,
	request change.Request,
	act settle.Action,
) (commission.Commission, error) {
	after, err := s.Store.Act(ctx, request, act)
	if err == nil {
		s.metrics.made([]commission.Commission{after})
	}

	return after, err
}

func (s settling) Adjust(
	ctx context.Context,
	request change.Request,
	made commission.Commission,
) (commission.Commission, error) {
	stored, err := s.Store.Adjust(ctx, request, made)
	if err == nil {
		s.metrics.made([]commission.Commission{stored})
	}

	return stored, err
}

func (s settling) ApproveDue(ctx context.Context, now time.Time, limit int) (int, error) {
	n, err := s.Store.ApproveDue(ctx, now, limit)
	if err == nil {
		s.metrics.came(commission.Earning, commission.Approved, n)
	}

	return n, err
}

// Payouts returns a repository that counts payout requests and their outcomes.
func (m *Metrics) Payouts(payouts command.Payouts) command.Payouts {
	return countedPayouts{payouts, m}
}

type countedPayouts struct {
	command.Payouts

	metrics *Metrics
}

func (p countedPayouts) Create(
	ctx context.Context,
	wanted payout.Wanted,
	fn func(ledger.Funds) (payout.Payout, effect.Effect, error),
) (stored payout.Snapshot, known bool, err error) {
	stored, known, err = p.Payouts.Create(ctx, wanted, fn)
	if err == nil && !known {
		p.metrics.paid(stored.Status)
	}

	return stored, known, err
}

func (p countedPayouts) Update(
	ctx context.Context,
	request change.Request,
	id string,
	fn func(*payout.Payout, *batch.Batch) (change.Outcome, error),
) error {
	var status payout.Status

	err := p.Payouts.Update(
		ctx,
		request,
		id,
		func(x *payout.Payout, b *batch.Batch) (change.Outcome, error) {
			outcome, err := fn(x, b)
			status = x.Snapshot().Status

			return outcome, err
		},
	)
	if err == nil {
		p.metrics.paid(status)
	}

	return err
}

// Replaying returns a store that counts the adjustments of replays.
func (m *Metrics) Replaying(store replay.Store) replay.Store { return replaying{store, m} }

type replaying struct {
	replay.Store

	metrics *Metrics
}

func (r replaying) Rebook(
	ctx context.Context,
	request change.Request,
	userID string,
	fn func(replay.History) (replay.Booking, error),
) ([]commission.Commission, error) {
	booked, err := r.Store.Rebook(ctx, request, userID, fn)
	if err == nil {
		r.metrics.made(booked)
	}

	return booked, err
}

// Results returns a repository that counts the payouts that result files close.
func (m *Metrics) Results(batches command.SettleBatches) command.SettleBatches {
	return results{batches, m}
}

type results struct {
	command.SettleBatches

	metrics *Metrics
}

func (r results) Settle(
	ctx context.Context,
	request change.Request,
	id string,
	fn func(*batch.Batch, []*payout.Payout) (change.Outcome, error),
) error {
	var closed []payout.Status

	err := r.SettleBatches.Settle(
		ctx,
		request,
		id,
		func(b *batch.Batch, payouts []*payout.Payout) (change.Outcome, error) {
			before := make([]payout.Status, len(payouts))
			for i, p := range payouts {
				before[i] = p.Snapshot().Status
			}

			outcome, err := fn(b, payouts)

			closed = nil
			for i, p := range payouts {
				if after := p.Snapshot().Status; after != before[i] {
					closed = append(closed, after)
				}
			}

			return outcome, err
		},
	)
	if err == nil {
		for _, status := range closed {
			r.metrics.paid(status)
		}
	}

	return err
}
