// Package process starts the parts of a service in order and stops them in reverse, so that the
// parts which feed others stop first and the parts which others use stop last.
package process

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"
)

// Part is an owned piece of a process. Run blocks until ctx ends (nil) or the part fails (an error
// stops the process). A part that only has to be closed, such as a pool, uses Closer.
type Part struct {
	Name string
	Run  func(ctx context.Context) error
}

// Closer returns a part that does nothing until the process stops, and then calls closeIt.
func Closer(name string, closeIt func()) Part {
	return Part{Name: name, Run: func(ctx context.Context) error {
		<-ctx.Done()
		closeIt()

		return nil
	}}
}

// Every returns a part that calls do at once and then at every interval, until the process stops.
func Every(name string, interval time.Duration, do func(ctx context.Context)) Part {
	return Part{Name: name, Run: func(ctx context.Context) error {
		tick := time.NewTicker(interval)
		defer tick.Stop()

		for {
			do(ctx)

			select {
			case <-ctx.Done():
				return nil
			case <-tick.C:
			}
		}
	}}
}

// stopTimeout bounds the stop of one part. A part that takes longer is abandoned and named in the
// log.
const stopTimeout = 20 * time.Second

type running struct {
	Part
	cancel context.CancelFunc
	done   chan struct{}
	err    error
}

// Run starts the parts in the given order and blocks. When ctx ends or a part fails, it stops them
// one by one in reverse order, each only after the one before has stopped. It returns the error of
// every part that failed, nil after a clean stop.
func Run(ctx context.Context, logger *slog.Logger, parts ...Part) error {
	base := context.WithoutCancel(ctx)
	failed := make(chan string, len(parts))

	var started []*running
	for _, part := range parts {
		partCtx, cancel := context.WithCancel(base)
		r := &running{Part: part, cancel: cancel, done: make(chan struct{})}

		started = append(started, r)
		go func() {
			defer close(r.done)

			if r.err = r.Run(partCtx); r.err != nil || partCtx.Err() == nil {
				failed <- r.Name
			}
		}()
	}

	select {
	case <-ctx.Done():
		logger.InfoContext(base, "stopping", "reason", "asked to stop")
	case name := <-failed:
		logger.ErrorContext(base, "stopping", "reason", "a part of the process ended", "part", name)
	}

	return stop(base, logger, started)
}

func stop(ctx context.Context, logger *slog.Logger, started []*running) error {
	var errs []error
	for i := len(started) - 1; i >= 0; i-- {
		r := started[i]
		early := ended(r)
		r.cancel()

		timeout := time.NewTimer(stopTimeout)
		select {
		case <-r.done:
			if r.err != nil {
				errs = append(errs, fmt.Errorf("%s: %w", r.Name, r.err))
			} else if early {
				errs = append(errs, fmt.Errorf("%s: ended before the process was stopped", r.Name))
			}

			logger.DebugContext(ctx, "stopped", "part", r.Name)
		case <-timeout.C:
			errs = append(errs, fmt.Errorf("%s: did not stop within %s", r.Name, stopTimeout))
		}

		timeout.Stop()
	}

	return errors.Join(errs...)
}

func ended(r *running) bool {
	select {
	case <-r.done:
		return true
	default:
		return false
	}
}
