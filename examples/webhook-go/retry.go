package main

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"
)

// retry delivers what the key has missed, in the background, until nothing is left. If too many
// keys are behind, it waits for room first.
func (f *forwarder) retry(ctx context.Context, key string) {
	select {
	case f.room <- struct{}{}:
	case <-ctx.Done():
		return
	}

	f.behind.Go(func() {
		defer func() { <-f.room }()

		var (
			cursor  string
			attempt int
			after   time.Duration
		)

		for {
			f.pause(ctx, attempt, after)

			if ctx.Err() != nil {
				return
			}

			done, moved, err := f.catchUp(ctx, key, &cursor)
			if done || ctx.Err() != nil {
				return
			}

			attempt++

			if moved {
				attempt = 0
			}

			after = 0

			var refused *refusedError
			if errors.As(err, &refused) {
				after = refused.retryAfter
			}

			if err != nil {
				f.log.Warn("a key is behind", "key", key, "attempt", attempt, "error", err)
			}
		}
	})
}

// catchUp delivers a page of the key's own feed. It reports whether nothing is left, and whether it
// came further. Only a few keys at a time do this, so few pages are in memory.
func (f *forwarder) catchUp(
	ctx context.Context,
	key string,
	cursor *string,
) (done, moved bool, err error) {
	select {
	case f.retries <- struct{}{}:
		defer func() { <-f.retries }()
	case <-ctx.Done():
		return false, false, ctx.Err()
	}

	before := f.position(key)

	p, err := f.feed.of(ctx, key, *cursor)
	if errors.Is(err, errExpired) {
		*cursor = ""
	}

	if err != nil {
		return false, false, err
	}

	delivered, err := f.deliverPage(ctx, key, before.Delivered, p.Events)
	if err != nil {
		return false, delivered > before.Delivered, err
	}

	*cursor = p.Next

	if p.HasMore {
		return false, true, nil
	}

	if before.passed > delivered {
		f.lost(key, delivered+1, before.passed)
		delivered = before.passed
	}

	return f.caughtUp(key, delivered), true, nil
}

// deliverPage delivers the events of the key after the delivered one, and returns the last that the
// endpoint has.
func (f *forwarder) deliverPage(
	ctx context.Context,
	key string,
	delivered int64,
	events []event,
) (int64, error) {
	for _, e := range events {
		if e.Key != key || e.Sequence <= delivered {
			continue
		}

		if e.Sequence > delivered+1 {
			f.lost(key, delivered+1, e.Sequence-1)
		}

		if err := f.endpoint.deliver(ctx, e); err != nil {
			if errors.Is(err, errGone) {
				f.end(err)
			}

			return delivered, err
		}

		delivered = e.Sequence
		if err := f.save(func() { f.state.Keys[key].Delivered = delivered }); err != nil {
			f.end(err)
			return delivered, err
		}
	}

	return delivered, nil
}

func (f *forwarder) position(key string) position {
	f.mu.Lock()
	defer f.mu.Unlock()

	return *f.state.Keys[key]
}

// caughtUp ends the retries of the key, unless events have been left to it since its feed was read.
func (f *forwarder) caughtUp(key string, delivered int64) bool {
	f.mu.Lock()
	defer f.mu.Unlock()

	p := f.state.Keys[key]
	p.Delivered = delivered
	p.Failing = p.passed > delivered

	return !p.Failing
}

// lost reports events that are no longer kept.
func (f *forwarder) lost(key string, from, to int64) {
	f.log.Error("events were dropped before they could be delivered", "key", key, "from", from, "to", to)
}

// pause waits before an attempt: twice as long each time, more or less, and at least what the
// endpoint has asked for.
func (f *forwarder) pause(ctx context.Context, attempt int, atLeast time.Duration) {
	wait := f.first << min(attempt, 30)
	wait = min(wait, f.longest)
	wait = max(wait/2+rand.N(wait/2+1), atLeast) //nolint:gosec // spreads the retries, no secret

	timer := time.NewTimer(wait)
	defer timer.Stop()

	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
