// Package idempotency deletes the idempotency keys of services after their time.
package idempotency

import (
	"context"
	"log/slog"
	"time"
)

// KeptFor is the shortest time for which a key is remembered.
const KeptFor = 24 * time.Hour

// Keys stores idempotency keys.
type Keys interface {
	// Forget deletes at most limit keys that were used before the time, the oldest first, in one
	// transaction, and returns their number. While another caller runs Forget it does nothing.
	Forget(ctx context.Context, before time.Time, limit int) (int, error)
}

// Forgetter deletes keys that have been remembered long enough.
type Forgetter struct {
	Keys   Keys
	Now    func() time.Time
	Logger *slog.Logger
}

// atOnce is the number of keys that one transaction deletes.
const atOnce = 1000

// Forget deletes all keys that are older than KeptFor. What fails is left to the next call. Several
// replicas may call it concurrently.
func (f *Forgetter) Forget(ctx context.Context) {
	before, total := f.Now().UTC().Add(-KeptFor), 0
	for ctx.Err() == nil {
		n, err := f.Keys.Forget(ctx, before, atOnce)
		total += n

		if err != nil {
			f.Logger.WarnContext(
				ctx,
				"cannot delete old idempotency keys; will retry",
				"error",
				err,
			)
		}

		if err != nil || n < atOnce {
			break
		}
	}

	if total > 0 {
		f.Logger.InfoContext(ctx, "old idempotency keys deleted", "count", total)
	}
}
