// Package idempotency is what services that remember idempotency keys have in common: how long, and
// how they forget.
package idempotency

import (
	"context"
	"log/slog"
	"time"
)

// KeptFor is how long a key is remembered, at least.
const KeptFor = 24 * time.Hour

// Keys are remembered keys.
type Keys interface {
	// Forget deletes at most limit keys that were used before the time, the oldest first, in one
	// transaction, and tells how many. While another caller forgets, it does nothing.
	Forget(ctx context.Context, before time.Time, limit int) (int, error)
}

// Forgetter deletes keys that were remembered long enough.
type Forgetter struct {
	Keys   Keys
	Now    func() time.Time
	Logger *slog.Logger
}

// atOnce is how many keys one transaction deletes.
const atOnce = 1000

// Forget deletes all keys that are older than KeptFor. What fails is left to the next call. Several
// replicas may call it.
func (f *Forgetter) Forget(ctx context.Context) {
	before, total := f.Now().UTC().Add(-KeptFor), 0
	for ctx.Err() == nil {
		n, err := f.Keys.Forget(ctx, before, atOnce)
		total += n

		if err != nil {
			f.Logger.WarnContext(
				ctx,
				"cannot forget old idempotency keys; trying again",
				"error",
				err,
			)
		}

		if err != nil || n < atOnce {
			break
		}
	}

	if total > 0 {
		f.Logger.InfoContext(ctx, "old idempotency keys forgotten", "count", total)
	}
}
