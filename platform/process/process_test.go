package process_test

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"

	"tributary/platform/process"
)

// recorder records the order in which parts stop.
type recorder struct {
	mu    sync.Mutex
	names []string
}

func (r *recorder) part(name string) process.Part {
	return process.Closer(name, func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.names = append(r.names, name)
	})
}

func TestRunStopsInReverseOrder(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var stopped recorder
		ctx, cancel := context.WithCancel(t.Context())

		done := make(chan error)
		go func() {
			done <- process.Run(ctx, slog.New(slog.DiscardHandler), stopped.part("pool"), stopped.part("relay"), stopped.part("http"))
		}()
		synctest.Wait()
		cancel()

		if err := <-done; err != nil {
			t.Fatalf("Run = %v, want nil after a clean stop", err)
		}

		if want := []string{"http", "relay", "pool"}; !slices.Equal(stopped.names, want) {
			t.Fatalf("stopped in the order %v, want %v", stopped.names, want)
		}
	})
}

func TestRunStopsAllWhenOnePartFails(t *testing.T) {
	t.Parallel()
	broken := errors.New("address in use")

	var stopped recorder

	err := process.Run(t.Context(), slog.New(slog.DiscardHandler), stopped.part("pool"),
		process.Part{Name: "http", Run: func(context.Context) error { return broken }})
	if !errors.Is(err, broken) || !slices.Equal(stopped.names, []string{"pool"}) {
		t.Fatalf(
			"Run = %v after stopping %v; want the cause, with pool stopped",
			err,
			stopped.names,
		)
	}
}

func TestRunTellsWhenAPartEndsByItself(t *testing.T) {
	t.Parallel()

	var stopped recorder

	err := process.Run(t.Context(), slog.New(slog.DiscardHandler), stopped.part("pool"),
		process.Part{Name: "relay", Run: func(context.Context) error { return nil }})
	if err == nil || len(stopped.names) != 1 {
		t.Fatalf(
			"Run = %v after stopping %v; want an error that names the part",
			err,
			stopped.names,
		)
	}
}

func TestRunLeavesAHangingPartBehind(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		release := make(chan struct{})

		done := make(chan error)
		go func() {
			done <- process.Run(ctx, slog.New(slog.DiscardHandler), process.Part{Name: "stuck", Run: func(context.Context) error {
				<-release
				return nil
			}})
		}()
		synctest.Wait()
		cancel()

		if err := <-done; err == nil {
			t.Fatal("Run = nil, want an error that names the part which hangs")
		}

		close(release)
	})
}
