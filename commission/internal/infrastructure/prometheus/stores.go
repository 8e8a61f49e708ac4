package prometheus

import (
	"context"
	"time"

	"tributary/commission/internal/application/change"
	"tributary/commission/internal/application/command"
	application "tributary/commission/internal/application/replay"
	"tributary/commission/internal/domain/batch"
	"tributary/commission/internal/domain/commission"
	"tributary/commission/internal/domain/effect"
	"tributary/commission/internal/domain/event"
	"tributary/commission/internal/domain/ledger"
	"tributary/commission/internal/domain/payout"
	"tributary/commission/internal/domain/replay"
)

// Decisions returns a repository that counts decisions.
func (m *Metrics) Decisions(decisions command.Decisions) command.Decisions {
	return countedDecisions{decisions, m}
}

type countedDecisions struct {
	command.Decisions

	metrics *Metrics
}

func (c countedDecisions) Decide(
	ctx context.Context,
	events []event.Event,
	decide func(command.DecisionState) (command.DecisionChanges, error),
) error {
	var last command.DecisionChanges

	err := c.Decisions.Decide(ctx, events, func(
		s command.DecisionState,
	) (made command.DecisionChanges, err error) {
		last, err = decide(s)
		return last, err
	})
	if err == nil {
		c.metrics.decided(last)
	}

	return err
}

// Commissions counts what commands do to commissions.
func (m *Metrics) Commissions(commissions command.Commissions) command.Commissions {
	return countedCommissions{commissions, m}
}

type countedCommissions struct {
	command.Commissions

	metrics *Metrics
}

func (c countedCommissions) Add(
	ctx context.Context,
	request change.Request,
	made commission.Snapshot,
	outcome change.Outcome,
) error {
	err := c.Commissions.Add(ctx, request, made, outcome)
	if err == nil {
		c.metrics.made([]commission.Snapshot{made})
	}

	return err
}

func (c countedCommissions) Update(
	ctx context.Context,
	request change.Request,
	id string,
	fn func(*commission.Commission) (change.Outcome, error),
) error {
	var after commission.Snapshot

	err := c.Commissions.Update(ctx, request, id, func(
		x *commission.Commission,
	) (change.Outcome, error) {
		outcome, err := fn(x)
		after = x.Snapshot()

		return outcome, err
	})
	if err == nil {
		c.metrics.made([]commission.Snapshot{after})
	}

	return err
}

func (c countedCommissions) UpdateDue(
	ctx context.Context,
	now time.Time,
	limit int,
	fn func(*commission.Commission) (effect.Effect, error),
) (int, error) {
	var approved int

	n, err := c.Commissions.UpdateDue(ctx, now, limit, func(
		x *commission.Commission,
	) (effect.Effect, error) {
		caused, err := fn(x)
		if x.Snapshot().Status == commission.Approved {
			approved++
		}

		return caused, err
	})
	if err == nil {
		c.metrics.came(commission.Earning, commission.Approved, approved)
	}

	return n, err
}

func (c countedCommissions) UpdateSelected(
	ctx context.Context,
	request change.Request,
	selection command.Selection,
	fn func([]commission.Commission) (change.Outcome, error),
) error {
	var after []commission.Snapshot

	err := c.Commissions.UpdateSelected(ctx, request, selection, func(
		selected []commission.Commission,
	) (change.Outcome, error) {
		outcome, err := fn(selected)

		after = nil
		for i := range selected {
			after = append(after, selected[i].Snapshot())
		}

		return outcome, err
	})
	if err == nil {
		c.metrics.made(after)
	}

	return err
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
	now time.Time,
	fn func(ledger.Funds) (payout.Payout, effect.Effect, error),
) (stored payout.Snapshot, known bool, err error) {
	stored, known, err = p.Payouts.Create(ctx, wanted, now, fn)
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

// Replaying returns a store that counts the events and adjustments of replays.
func (m *Metrics) Replaying(store application.Store) application.Store { return replaying{store, m} }

type replaying struct {
	application.Store

	metrics *Metrics
}

func (r replaying) Post(
	ctx context.Context,
	claim application.Claim,
	users []string,
	fn func(*replay.Replay, []application.History) (application.Posting, error),
) ([]commission.Snapshot, error) {
	var events int64

	adjustments, err := r.Store.Post(ctx, claim, users, func(
		x *replay.Replay,
		histories []application.History,
	) (application.Posting, error) {
		before := x.Snapshot().Progress.Done.Events
		posting, err := fn(x, histories)
		events = x.Snapshot().Progress.Done.Events - before

		return posting, err
	})
	if err == nil {
		r.metrics.made(adjustments)
		r.metrics.replayed.Add(float64(events)) //nolint:forbidigo // a number of events, no money
	}

	return adjustments, err
}

// Results returns a repository that counts the payouts that result files close.
func (m *Metrics) Results(batches command.Batches) command.Batches {
	return results{batches, m}
}

type results struct {
	command.Batches

	metrics *Metrics
}

func (r results) Settle(
	ctx context.Context,
	request change.Request,
	id string,
	fn func(*batch.Batch, []*payout.Payout) (change.Outcome, error),
) error {
	var closed []payout.Status

	err := r.Batches.Settle(
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
