package ingest_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"tributary/platform/fault"
	"tributary/tracking/internal/application/command"
	"tributary/tracking/internal/application/command/commandtest"
	"tributary/tracking/internal/application/ingest"
	"tributary/tracking/internal/application/ingest/ingesttest"
	"tributary/tracking/internal/domain/event"
)

func TestFakeStoreKeepsTheContract(t *testing.T) {
	t.Parallel()
	ingesttest.Suite(t, func(*testing.T) ingest.Store { return ingesttest.New() })
	ingesttest.KeysSuite(t, func(*testing.T) (ingest.Store, command.Keys) {
		store := ingesttest.New()
		return store, store
	})
}

func TestTheCoalescerKeepsTheContract(t *testing.T) {
	t.Parallel()
	commandtest.RecorderSuite(t, func(t *testing.T, store ingest.Store) command.Recorder {
		t.Helper()

		l := ingest.DefaultLimits()
		l.Retry = 100 * time.Millisecond
		c, _ := start(t, store, l)

		return c
	})
}

// start runs a coalescer over the store until the test ends.
func start(
	t *testing.T,
	store ingest.Store,
	limits ingest.Limits,
) (c *ingest.Coalescer, stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	c = ingest.NewCoalescer(limits, ingest.Dependencies{
		Store:     store,
		Stored:    func() {},
		Committed: func(int, time.Duration) {},
		Logger:    slog.New(slog.DiscardHandler),
		Now:       time.Now,
	})

	var running sync.WaitGroup
	running.Go(func() {
		if err := c.Run(ctx); err != nil {
			t.Errorf("Run = %v", err)
		}
	})
	stop = sync.OnceFunc(func() { cancel(); running.Wait() })
	t.Cleanup(stop)

	return c, stop
}

func limits() ingest.Limits {
	return ingest.Limits{
		Rows:       4,
		Writers:    1,
		QueueRows:  10,
		QueueBytes: 1 << 20,
		Retry:      time.Second,
	}
}

func events(t *testing.T, from, to int) []event.Event {
	t.Helper()

	var list []event.Event
	for i := from; i < to; i++ {
		list = append(
			list,
			ingesttest.Event(t, fmt.Sprint(i), "u", time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)),
		)
	}

	return list
}

func TestRequestsShareCommits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := ingesttest.New()
		gate := make(chan struct{})
		store.Hook = func([]event.Event) error { <-gate; return nil }
		c, stop := start(t, store, limits())

		var requests sync.WaitGroup
		for i := range 10 {
			requests.Go(func() {
				if got, err := c.Record(t.Context(), events(t, i, i+1), nil); err != nil ||
					got[0].State != ingest.Stored {
					t.Errorf("Record = %v, %v", got, err)
				}
			})
			synctest.Wait()
		}

		close(gate)
		requests.Wait()
		stop()

		if got := store.Commits(); !slices.Equal(got, []int{1, 4, 4, 1}) {
			t.Fatalf(
				"commits of %v events, want the first alone and the others together, 4 at most",
				got,
			)
		}
	})
}

func TestAFullQueueIsTold(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := ingesttest.New()
		gate := make(chan struct{})
		store.Hook = func([]event.Event) error { <-gate; return nil }
		c, _ := start(t, store, limits())

		var requests sync.WaitGroup
		for i := range 11 { // one is being written, ten wait
			requests.Go(func() { _, _ = c.Record(t.Context(), events(t, i, i+1), nil) })
			synctest.Wait()
		}

		_, err := c.Record(t.Context(), events(t, 20, 21), nil)

		f, ok := fault.As(err)
		if !ok || f.Code() != "intake_full" || f.Kind() != fault.Unavailable || f.RetryAfter <= 0 {
			t.Errorf("Record = %v, want intake_full with Retry-After", err)
		}

		if got := c.Waiting(); got != 10 {
			t.Errorf("%d wait, want 10", got)
		}

		close(gate)
		requests.Wait()

		if store.Has("20") {
			t.Error("what was refused is stored")
		}
	})
}

func TestAQueueFullOfBytesIsTold(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := ingesttest.New()
		gate := make(chan struct{})
		store.Hook = func([]event.Event) error { <-gate; return nil }
		l := limits()
		l.QueueBytes = 1000
		c, _ := start(t, store, l)

		var requests sync.WaitGroup
		for i := range 2 {
			requests.Go(func() { _, _ = c.Record(t.Context(), events(t, i, i+1), nil) })
			synctest.Wait()
		}

		if _, err := c.Record(t.Context(), events(t, 20, 21), nil); !errors.Is(err, ingest.ErrFull) {
			t.Errorf("Record = %v, want intake_full", err)
		}

		close(gate)
		requests.Wait()
	})
}

func TestAnOutageIsRetriedThenTold(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := ingesttest.New()

		var down atomic.Bool
		down.Store(true)
		store.Hook = func([]event.Event) error {
			if down.Load() {
				return ingest.Away(errors.New("connection refused"))
			}

			return nil
		}
		c, _ := start(t, store, limits())
		time.AfterFunc(500*time.Millisecond, func() { down.Store(false) })

		if got, err := c.Record(t.Context(), events(t, 0, 1), nil); err != nil ||
			got[0].State != ingest.Stored {
			t.Fatalf("a short outage: %v, %v; want it bridged", got, err)
		}

		down.Store(true)
		begin := time.Now()

		_, err := c.Record(t.Context(), events(t, 1, 2), nil)
		if !errors.Is(err, fault.ErrDatabase) || time.Since(begin) > 2*time.Second {
			t.Fatalf("a long outage: %v after %v", err, time.Since(begin))
		}
	})
}

// lossy stores the events and then loses the answer, once.
type lossy struct {
	ingest.Store
	lost bool
}

func (l *lossy) Append(
	ctx context.Context,
	events []event.Event,
	keyed ...ingest.Keyed,
) ([]ingest.Outcome, error) {
	got, err := l.Store.Append(ctx, events, keyed...)
	if !l.lost {
		l.lost = true
		return nil, ingest.Unknown(errors.New("connection reset"))
	}

	return got, err
}

func TestALostAnswerIsFoundAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, _ := start(t, &lossy{Store: ingesttest.New()}, limits())
		twice := append(events(t, 0, 1), events(t, 0, 1)...)

		got, err := c.Record(t.Context(), twice, nil)
		if err != nil || got[0].State != ingest.Stored || got[1].State != ingest.Repeated {
			t.Fatalf("Record = %+v, %v; want the first recorded, once", got, err)
		}
	})
}

// unreachable stores the first events, loses the answer, and is unreachable from then on.
type unreachable struct {
	ingest.Store
	lost bool
}

func (u *unreachable) Append(
	ctx context.Context,
	events []event.Event,
	keyed ...ingest.Keyed,
) ([]ingest.Outcome, error) {
	if u.lost {
		return nil, ingest.Away(errors.New("connection refused"))
	}

	u.lost = true
	_, err := u.Store.Append(ctx, events, keyed...)

	return nil, cmp.Or(err, ingest.Unknown(errors.New("connection reset")))
}

func TestALostAnswerStaysUnknownWhileTheLogIsAway(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := ingesttest.New()

		c, _ := start(t, &unreachable{Store: store}, limits())
		if _, err := c.Record(
			t.Context(),
			events(t, 0, 1),
			nil,
		); !errors.Is(err, ingest.ErrUnknown) ||
			!store.Has("0") {
			t.Errorf("Record = %v, want outcome_unknown: the event is stored", err)
		}

		if _, err := c.Record(t.Context(), events(t, 1, 2), nil); !errors.Is(err, fault.ErrDatabase) {
			t.Errorf("Record = %v, want database_unavailable: nothing of this one is stored", err)
		}
	})
}

// A request whose outcome is known only in part returns no outcomes, and no error that says nothing
// was stored if something was.
func TestARequestThatIsWrittenInPartsIsKnownOrNot(t *testing.T) {
	t.Parallel()

	refused, away := fmt.Errorf("%w: bad", ingest.ErrRefused), ingest.Away(errors.New("connection refused"))
	for name, c := range map[string]struct {
		// by the first and the last event of a commit; the others are stored
		answers map[string]error
		want    error
	}{
		"one stored, one away":    {map[string]error{"0-1": refused, "1-1": away}, ingest.ErrUnknown},
		"one away, one unknown":   {map[string]error{"0-1": refused, "0-0": away, "1-1": ingest.Unknown(errors.New("reset"))}, ingest.ErrUnknown},
		"one refused, one away":   {map[string]error{"0-1": refused, "0-0": refused, "1-1": away}, fault.ErrDatabase},
		"one away, one refused":   {map[string]error{"0-1": refused, "0-0": away, "1-1": refused}, fault.ErrDatabase},
		"one refused, one stored": {map[string]error{"0-1": refused, "0-0": refused}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				store := ingesttest.New()
				store.Hook = func(batch []event.Event) error { return c.answers[batch[0].ID()+"-"+batch[len(batch)-1].ID()] }
				coalescer, _ := start(t, store, limits())

				_, err := coalescer.Record(t.Context(), events(t, 0, 2), nil)
				if !errors.Is(err, c.want) {
					t.Errorf("Record = %v, want %v", err, c.want)
				}

				if f, ok := fault.As(err); ok && f.RetryAfter <= 0 {
					t.Error("no Retry-After")
				}
			})
		})
	}
}

func TestStoppingWritesWhatWaits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := ingesttest.New()
		gate := make(chan struct{})
		store.Hook = func([]event.Event) error { <-gate; return nil }
		c, stop := start(t, store, limits())

		var requests sync.WaitGroup
		for i := range 6 {
			requests.Go(func() {
				if _, err := c.Record(t.Context(), events(t, i, i+1), nil); err != nil {
					t.Errorf("Record = %v", err)
				}
			})
		}

		synctest.Wait()
		requests.Go(stop)
		synctest.Wait()

		if _, err := c.Record(t.Context(), events(t, 9, 10), nil); !errors.Is(err, fault.ErrShuttingDown) {
			t.Errorf("Record while stopping = %v, want shutting_down", err)
		}

		close(gate)
		requests.Wait()
	})
}

func TestACallerWhoLeavesIsNotWaitedFor(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := ingesttest.New()
		gate := make(chan struct{})
		store.Hook = func([]event.Event) error { <-gate; return nil }
		c, _ := start(t, store, limits())

		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()

		if _, err := c.Record(ctx, events(t, 0, 1), nil); !errors.Is(err, ingest.ErrUnknown) {
			t.Errorf("Record = %v, want outcome_unknown", err)
		}

		close(gate)
	})
}
