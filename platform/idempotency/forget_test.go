package idempotency_test

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"tributary/platform/idempotency"
	"tributary/platform/process"
)

// kept holds the number of old keys; every fourth call fails.
type kept struct {
	left, calls, largest int
	before               time.Time
}

func (k *kept) Forget(_ context.Context, before time.Time, limit int) (int, error) {
	k.calls = k.calls + 1
	k.largest = max(k.largest, limit)

	k.before = before
	if k.calls%4 == 0 {
		return 0, errors.New("database away")
	}

	n := min(limit, k.left)
	k.left -= n

	return n, nil
}

func TestTheForgetterGoesOnAfterFailuresAndStops(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		keys := &kept{left: 3500}
		f := &idempotency.Forgetter{
			Keys:   keys,
			Now:    time.Now,
			Logger: slog.New(slog.DiscardHandler),
		}
		ctx, cancel := context.WithCancel(t.Context())

		done := make(chan error)
		go func() { done <- process.Every("forgetter", time.Minute, f.Forget).Run(ctx) }()
		time.Sleep(time.Minute + time.Second) // in the bubble, so no real time passes
		cancel()

		if err := <-done; err != nil || keys.left != 0 || keys.largest > 1000 {
			t.Errorf("Run = %v with %d left, %d at once", err, keys.left, keys.largest)
		}

		if age := time.Since(keys.before); age != 24*time.Hour+time.Second {
			t.Errorf("keys of the last %v are kept", age)
		}
	})
}
