package bench

import (
	"context"
	"errors"
	"time"
)

// Outage is what was seen while the broker was away and after its return.
type Outage struct {
	Rate      float64       // of the intake meanwhile, in events per second
	GrewMiB   float64       // tracking's memory, beyond the most that it had held before
	Waited    int64         // events that were not published at its return
	Published time.Duration // from its return until events were published less than a second after their receipt
	Decided   time.Duration // and until they were decided less than a second after it
}

// After the broker's return events keep coming at this rate, and whatever is no further behind than a second of them is fresh.
const trickle = 100

// Outage stops the broker, posts single events on 256 connections for some time, starts it again and waits until all is fresh again while a few
// events keep coming.
func (p *Pipeline) Outage(ctx context.Context, length time.Duration) (found Outage, err error) {
	pid, ok := p.Stack.PID("tracking")
	if !ok {
		return found, errors.New("tracking does not run")
	}
	before := memory(pid, "VmHWM")
	recorded, decided, err := p.counters(ctx)
	if err != nil {
		return found, err
	}
	if err := p.Stack.Stop(ctx, "pulsar"); err != nil {
		return found, err
	}
	done, err := p.Load.Closed(ctx, length, 256, 1)
	if err != nil {
		return found, err
	}
	found.Rate, found.GrewMiB = done.Rate(), memory(pid, "VmHWM")-before
	if err := p.Stack.Start(ctx, "pulsar"); err != nil {
		return found, err
	}
	back := time.Now()
	if found.Waited, err = p.unpublished(ctx); err != nil {
		return found, err
	}
	trickling, stop := context.WithCancel(ctx)
	trickled := make(chan error, 1)
	go func() {
		_, err := p.Load.Open(trickling, patience, 4, trickle)
		trickled <- err
	}()
	found.Published, err = p.caughtUp(ctx, back, p.unpublished)
	if err == nil {
		found.Decided, err = p.caughtUp(ctx, back, func(ctx context.Context) (int64, error) {
			r, d, err := p.counters(ctx)
			return int64((r - recorded) - (d - decided)), err
		})
	}
	stop()
	return found, errors.Join(err, <-trickled, p.Settle(ctx))
}

func (p *Pipeline) unpublished(ctx context.Context) (int64, error) {
	return p.number(ctx, p.Tracking, `SELECT (SELECT coalesce(max(seq), 0) FROM events) - pos FROM relay`)
}

// caughtUp is the time since then until no more events wait than come in a second.
func (p *Pipeline) caughtUp(ctx context.Context, since time.Time, waiting func(context.Context) (int64, error)) (time.Duration, error) {
	err := p.wait(ctx, 50*time.Millisecond, func() (bool, error) {
		n, err := waiting(ctx)
		return n <= trickle, err
	})
	return time.Since(since), err
}
