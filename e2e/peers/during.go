package main

import (
	"context"
	"time"
)

// body is the message of an event of tracking.
const body = `{"schema_version":"v1","event_id":"0192f0e0-0000-7000-8000-000000000000",` +
	`"user_id":"user-12345",` +
	`"event_type":"click","occurred_at":"2026-01-02T03:04:05Z",` +
	`"received_at":"2026-01-02T03:04:05Z","campaign_id":"camp-1","metadata":"{\"page\":\"/offers/summer\"}"}`

// done is what was done in a time.
type done struct {
	Events int
	Took   time.Duration
}

// during calls work repeatedly and concurrently until the time is over. work returns the number of
// events done.
func during(
	ctx context.Context,
	length time.Duration,
	workers int,
	work func(ctx context.Context, worker int) (int, error),
) (done, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	counts := make(chan int, workers)
	begin := time.Now()

	end := begin.Add(length)
	for w := range workers {
		go func() {
			n := 0
			for time.Now().Before(end) && ctx.Err() == nil {
				events, err := work(ctx, w)
				if err != nil {
					cancel(err)
					break
				}

				n += events
			}

			counts <- n
		}()
	}

	total := 0
	for range workers {
		total += <-counts
	}

	if err := context.Cause(ctx); err != nil {
		return done{}, err
	}

	return done{Events: total, Took: time.Since(begin)}, nil
}
