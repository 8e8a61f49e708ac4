package postgres

import (
	"context"
	"time"

	"tributary/commission/internal/application/eventlog"
	platform "tributary/platform/postgres"
)

var _ eventlog.Partitions = (*EventLog)(nil)

const (
	// daysAhead is how long the service may be unable to create partitions before it can write no
	// events.
	daysAhead = 7

	prepareLog = `SELECT commission_events_prepare($1)`
	expireLog  = `SELECT commission_events_expire($1)`
)

// Prepare implements eventlog.Partitions.
func (l *EventLog) Prepare(ctx context.Context) error {
	_, err := l.store.pool.Exec(ctx, prepareLog, daysAhead)
	return platform.Fault("prepare the log of changes", err)
}

// Expire implements eventlog.Partitions. Each step is a transaction of its own: a long one would
// hold up the readers of the log.
func (l *EventLog) Expire(ctx context.Context, before time.Time) (dropped int, err error) {
	for ctx.Err() == nil {
		var step string
		if err := l.store.pool.QueryRow(ctx, expireLog, before).Scan(&step); err != nil {
			return dropped, platform.Fault("drop old events", err)
		}

		switch step {
		case "dropped":
			dropped++
		case "keeping":
		default:
			return dropped, nil
		}
	}

	return dropped, nil
}
