package command_test

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"tributary/commission/internal/application/command"
	"tributary/commission/internal/domain/commission"
	"tributary/commission/internal/domain/effect"
	"tributary/platform/process"
)

// due is a store with a number of due commissions; every second call fails.
type due struct {
	command.Commissions

	left, calls int
}

func (d *due) UpdateDue(
	_ context.Context,
	_ time.Time,
	limit int,
	_ func(*commission.Commission) (effect.Effect, error),
) (int, error) {
	d.calls++
	if d.calls%2 == 0 {
		return 0, errors.New("database away")
	}

	n := min(limit, d.left)
	d.left -= n

	return n, nil
}

func TestTheApproverGoesOnAfterFailuresAndStops(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := &due{left: 1200}
		a := command.NewApproveDue(store, time.Now, slog.New(slog.DiscardHandler))
		ctx, cancel := context.WithCancel(t.Context())

		done := make(chan error)
		go func() { done <- process.Every("approver", time.Second, a.Handle).Run(ctx) }()
		time.Sleep(10 * time.Second) // in the bubble, so no real time passes
		cancel()

		if err := <-done; err != nil || store.left != 0 {
			t.Errorf("Run = %v with %d left", err, store.left)
		}
	})
}
