package bench

import (
	"context"
	"errors"
	"time"
)

// Outage is the observations while the broker was down and after its return.
type Outage struct {
	Rate float64 // of the intake at its limit meanwhile, in events per second
	// peak of tracking's memory, compared with that of the same load with a running broker
	GrewMiB float64
	Waited  int64 // events that were not published at its return
	// from its return until events were published less than a second after their receipt
	Published time.Duration
	Decided   time.Duration // and until they were decided less than a second after it
}

// Away is the duration of an outage: Saturated at the limit of the intake, the rest at Rate, the
// target of the whole path.
type Away struct {
	Length    time.Duration
	Saturated time.Duration
	Rate      float64
}

// After the broker's return events continue at this rate, and events that are at most a second
// behind are fresh.
const trickle = 100

// Outage stops the broker while events arrive, restarts it and waits until all events are fresh
// again while a few more arrive.
func (p *Pipeline) Outage(ctx context.Context, away Away) (found Outage, err error) {
	pid, ok := p.Stack.PID("tracking")
	if !ok {
		return found, errors.New("tracking does not run")
	}

	usual, err := p.peak(pid, func() error {
		_, err := p.Load.Closed(ctx, away.Saturated, connections, 1)
		return errors.Join(err, p.Drain(ctx))
	})
	if err != nil {
		return found, err
	}

	recorded, decided, err := p.counters(ctx)
	if err != nil {
		return found, err
	}

	if err := p.Stack.Stop(ctx, "pulsar"); err != nil {
		return found, err
	}

	most, err := p.peak(pid, func() error {
		done, err := p.Load.Closed(ctx, away.Saturated, connections, 1)
		if err != nil {
			return err
		}

		found.Rate = done.Rate()
		_, err = p.Load.Open(ctx, away.Length-away.Saturated, 64, away.Rate)

		return err
	})
	if err != nil {
		return found, err
	}

	found.GrewMiB = most - usual
	if err := p.Stack.Start(ctx, "pulsar"); err != nil {
		return found, err
	}

	return found, p.recover(ctx, &found, recorded, decided)
}

const connections = 256

// recover waits until everything is fresh again.
func (p *Pipeline) recover(
	ctx context.Context,
	found *Outage,
	recorded, decided float64,
) (err error) {
	back := time.Now()

	if found.Waited, err = p.unpublished(ctx); err != nil {
		return err
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

	return errors.Join(err, <-trickled, p.Drain(ctx))
}

// peak returns the peak memory of a process during work, in MiB.
func (p *Pipeline) peak(pid int, work func() error) (float64, error) {
	if err := ForgetPeak(pid); err != nil {
		return 0, err
	}

	err := work()

	return PeakMemory(pid), err
}

func (p *Pipeline) unpublished(ctx context.Context) (int64, error) {
	return p.number(ctx, p.Tracking, `SELECT (SELECT coalesce(max(seq), 0) FROM events) - pos
    FROM relay`)
}

// caughtUp returns the time since then until no more events wait than arrive in a second.
func (p *Pipeline) caughtUp(
	ctx context.Context,
	since time.Time,
	waiting func(context.Context) (int64, error),
) (time.Duration, error) {
	err := p.wait(ctx, 50*time.Millisecond, func() (bool, error) {
		n, err := waiting(ctx)
		return n <= trickle, err
	})

	return time.Since(since), err
}
