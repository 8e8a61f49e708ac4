package prometheus

import (
	"context"
	"time"

	"tributary/commission/internal/application/change"
	"tributary/commission/internal/application/consume"
	"tributary/commission/internal/application/payouts"
	"tributary/commission/internal/application/replay"
	"tributary/commission/internal/application/settle"
	"tributary/commission/internal/domain/commission"
	"tributary/commission/internal/domain/event"
	"tributary/commission/internal/domain/payout"
)

// Consuming counts what the store decides.
func (m *Metrics) Consuming(store consume.Store) consume.Store { return consuming{store, m} }

type consuming struct {
	consume.Store

	metrics *Metrics
}

// Decide implements consume.Store.
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

// Settling counts what is done to commissions by hand and by the clock.
func (m *Metrics) Settling(store settle.Store) settle.Store { return settling{store, m} }

type settling struct {
	settle.Store

	metrics *Metrics
}

// Act implements settle.Store.
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

// Adjust implements settle.Store.
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

// ApproveDue implements settle.Store.
func (s settling) ApproveDue(ctx context.Context, now time.Time, limit int) (int, error) {
	n, err := s.Store.ApproveDue(ctx, now, limit)
	if err == nil {
		s.metrics.came(commission.Earning, commission.Approved, n)
	}

	return n, err
}

// Paying counts requests for payouts and how they end.
func (m *Metrics) Paying(store payouts.Store) payouts.Store { return paying{store, m} }

type paying struct {
	payouts.Store

	metrics *Metrics
}

// RequestPayout implements payouts.Store.
func (p paying) RequestPayout(
	ctx context.Context,
	request payout.Payout,
	now time.Time,
) (made payout.Payout, known bool, err error) {
	made, known, err = p.Store.RequestPayout(ctx, request, now)
	if err == nil && !known {
		p.metrics.paid(made.Status)
	}

	return made, known, err
}

// ClosePayout implements payouts.Store.
func (p paying) ClosePayout(
	ctx context.Context,
	request change.Request,
	c payouts.Closing,
) (payout.Payout, error) {
	closed, err := p.Store.ClosePayout(ctx, request, c)
	if err == nil {
		p.metrics.paid(closed.Status)
	}

	return closed, err
}

// Replaying counts the adjustments of replays.
func (m *Metrics) Replaying(store replay.Store) replay.Store { return replaying{store, m} }

type replaying struct {
	replay.Store

	metrics *Metrics
}

// Rebook implements replay.Store.
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
