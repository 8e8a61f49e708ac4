package eventlog

import (
	"context"
	"log/slog"
	"time"
)

// Partitions are the parts of the log, one for each day of UTC.
type Partitions interface {
	// Prepare creates the missing parts of today and of the days to come.
	Prepare(ctx context.Context) error
	// Expire drops the parts of which every event is older than the time and published, and returns
	// their number. Numbering goes on where it was. It fails rather than wait for a reader.
	Expire(ctx context.Context, before time.Time) (dropped int, err error)
}

// Keeper creates and drops the parts of the log.
type Keeper struct {
	Partitions Partitions
	Keep       time.Duration // how long events are kept, at least
	Now        func() time.Time
	Logger     *slog.Logger
}

// Run creates the parts that are missing and drops the old ones. What fails is left to the next
// call. Several replicas may call it concurrently.
func (k *Keeper) Run(ctx context.Context) {
	if err := k.Partitions.Prepare(ctx); err != nil {
		k.Logger.WarnContext(
			ctx,
			"cannot prepare the log of changes for the next days; will retry",
			"error",
			err,
		)
	}

	dropped, err := k.Partitions.Expire(ctx, k.Now().UTC().Add(-k.Keep))
	if err != nil {
		k.Logger.InfoContext(ctx, "cannot drop old events yet; will retry", "error", err)
	}

	if dropped > 0 {
		k.Logger.InfoContext(ctx, "old events dropped", "days", dropped)
	}
}
