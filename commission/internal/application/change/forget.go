package change

import (
	"context"
	"log/slog"
	"time"
)

// KeptFor is how long the answer to a change is given again for its key, at least.
const KeptFor = 24 * time.Hour

// Keys holds the answers that are given again.
type Keys interface {
	// Forget deletes at most limit answers that were made before the time, the oldest first, in one transaction, and tells how many. While
	// another caller forgets, it does nothing.
	Forget(ctx context.Context, before time.Time, limit int) (int, error)
}

// Forgetter deletes answers that were kept long enough.
type Forgetter struct {
	Keys   Keys
	Now    func() time.Time
	Logger *slog.Logger
}

// forgetAtOnce is how many answers one transaction deletes.
const forgetAtOnce = 1000

// Forget deletes all answers that are older than KeptFor. What fails is left to the next call. Several replicas may call it.
func (f *Forgetter) Forget(ctx context.Context) {
	before, total := f.Now().UTC().Add(-KeptFor), 0
	for ctx.Err() == nil {
		n, err := f.Keys.Forget(ctx, before, forgetAtOnce)
		total += n
		if err != nil {
			f.Logger.WarnContext(ctx, "cannot forget old answers; trying again", "error", err)
		}
		if err != nil || n < forgetAtOnce {
			break
		}
	}
	if total > 0 {
		f.Logger.InfoContext(ctx, "old answers forgotten", "count", total)
	}
}
