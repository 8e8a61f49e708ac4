package prometheus_test

import (
	"context"
	"errors"
	"testing"

	client "github.com/prometheus/client_golang/prometheus"

	"tributary/commission/internal/application/change"
	"tributary/commission/internal/application/command"
	"tributary/commission/internal/domain/batch"
	"tributary/commission/internal/domain/payout"
	"tributary/commission/internal/infrastructure/prometheus"
	"tributary/platform/money"
)

// sentBatch is a repository of one batch with two open payouts and a completed one. It runs fn
// twice, as after a race, and then fails if err is set.
type sentBatch struct {
	command.Batches

	err error
}

func (s sentBatch) Settle(
	_ context.Context,
	_ change.Request,
	_ string,
	fn func(*batch.Batch, []*payout.Payout) (change.Outcome, error),
) error {
	for range 2 {
		var payouts []*payout.Payout

		for id, status := range map[string]payout.Status{
			"a": payout.Requested, "b": payout.Requested, "c": payout.Completed,
		} {
			p := payout.Restore(payout.Snapshot{
				ID:      id,
				UserID:  "u",
				Amount:  money.FromMinor(1, money.USD()),
				Status:  status,
				BatchID: "batch",
			})
			payouts = append(payouts, &p)
		}

		b := batch.Restore(batch.Snapshot{
			ID:     "batch",
			Status: batch.Sent,
			Count:  3,
			Open:   2,
			Total:  money.TotalOf(3, money.USD()),
		}, nil)
		if _, err := fn(&b, payouts); err != nil {
			return err
		}
	}

	return s.err
}

// What a result file closes is counted once, and nothing of a file that was not stored.
func TestResultsAreCounted(t *testing.T) {
	t.Parallel()

	registry := client.NewRegistry()
	m := prometheus.New(registry, clock)

	for _, failing := range []error{errors.New("away"), nil} {
		_, err := command.NewSettleBatch(m.Results(sentBatch{err: failing})).Handle(
			t.Context(),
			change.Request{Actor: "a", Reason: "r", Now: start()},
			command.Settlement{ID: "batch", Results: []command.Result{
				{Line: 2, PayoutID: "a", Closing: payout.Closing{To: payout.Completed}},
				{Line: 3, PayoutID: "b", Closing: payout.Closing{To: payout.Failed}},
				{Line: 4, PayoutID: "c", Closing: payout.Closing{To: payout.Completed}},
			}},
		)
		if (err != nil) != (failing != nil) {
			t.Fatal(err)
		}
	}

	expect(t, registry, "decision_lag_seconds 0 0", "payouts completed 1", "payouts failed 1")
}
