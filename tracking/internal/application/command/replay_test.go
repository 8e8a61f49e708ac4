package command_test

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"tributary/platform/fault"
	"tributary/platform/ids/idstest"
	"tributary/tracking/internal/application/command"
	"tributary/tracking/internal/application/ingest"
	"tributary/tracking/internal/application/ingest/ingesttest"
	"tributary/tracking/internal/domain/event"
)

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

// start runs a coalescer over the store until the test ends.
func start(t *testing.T, store ingest.Store) *ingest.Coalescer {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	c := ingest.NewCoalescer(ingest.DefaultLimits(), ingest.Dependencies{
		Store:     store,
		Stored:    func() {},
		Committed: func(int, time.Duration) {},
		Logger:    slog.New(slog.DiscardHandler),
		Now:       time.Now,
	})

	var running sync.WaitGroup
	running.Go(func() { _ = c.Run(ctx) })
	t.Cleanup(func() { cancel(); running.Wait() })

	return c
}

// unreadable is a store whose keys cannot be read.
type unreadable struct{ command.Keys }

func (unreadable) Find(context.Context, string, string) (ingest.Use, bool, error) {
	return ingest.Use{}, false, fault.ErrDatabase
}

// After a lost answer a request finds its own key used. It gets its answer, or an error that says
// the event may be recorded, never one that says it is not.
func TestALostAnswerToAKey(t *testing.T) {
	t.Parallel()

	for name, c := range map[string]struct {
		keys func(command.Keys) command.Keys
		want error
	}{
		"readable":   {func(k command.Keys) command.Keys { return k }, nil},
		"unreadable": {func(k command.Keys) command.Keys { return unreadable{k} }, ingest.ErrUnknown},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				store := ingesttest.New()
				log := start(t, &lossy{Store: store})
				handler := command.New(log, c.keys(store), &idstest.Sequence{}, time.Now)
				input := event.Input{UserID: event.Given("u"), EventType: event.Given("view")}

				got, err := handler.Record(
					t.Context(),
					command.Origin{Key: "k"},
					command.Item{Input: input},
				)
				if c.want == nil &&
					(err != nil || got.Status != command.Recorded || !store.Has(got.EventID)) ||
					!errors.Is(err, c.want) {
					t.Errorf("Record = %+v, %v; want %v", got, err, c.want)
				}
			})
		})
	}
}
