package postgres_test

import (
	"context"
	"log/slog"
	"sync"
	"testing"
	"time"

	"tributary/migrations"
	"tributary/migrations/migrationstest"
	"tributary/platform/ids"
	"tributary/platform/postgres"
	"tributary/tracking/internal/application/command"
	"tributary/tracking/internal/application/ingest"
	"tributary/tracking/internal/domain/event"
	store "tributary/tracking/internal/infrastructure/postgres"
)

// A hundred identical concurrent requests are one event, whatever identifies them: one is
// recorded, the others are duplicates.
func TestAHundredIdenticalRequestsAreOneEvent(t *testing.T) {
	t.Parallel()

	for name, c := range map[string]struct {
		origin command.Origin
		id     event.Text
		want   map[string]int
	}{
		"by event_id": {command.Origin{}, event.Given("one"), map[string]int{"recorded": 1, "duplicate": 99}},
		"by key":      {command.Origin{Caller: "shop", Key: "k"}, event.Text{}, map[string]int{"recorded": 1, "replayed": 99}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := migrationstest.New(t, migrations.Tracking())

			pool, err := postgres.Open(t.Context(), postgres.Config{URL: db.URL, MaxConns: 2})
			if err != nil {
				t.Fatal(err)
			}

			t.Cleanup(pool.Close)
			coalescer := ingest.NewCoalescer(ingest.DefaultLimits(), ingest.Dependencies{
				Store:     store.NewAppender(pool),
				Stored:    func() {},
				Committed: func(int, time.Duration) {},
				Logger:    slog.New(slog.DiscardHandler),
				Now:       time.Now,
			})
			ctx, cancel := context.WithCancel(t.Context())

			var running, requests sync.WaitGroup
			running.Go(func() { _ = coalescer.Run(ctx) })
			handler := command.New(
				coalescer,
				store.NewKeys(pool),
				ids.New("tracking:event"),
				time.Now,
			)

			var mu sync.Mutex
			got := map[string]int{}

			start := make(chan struct{})
			for range 100 {
				requests.Go(func() {
					<-start
					result, err := handler.Record(
						t.Context(),
						c.origin,
						command.Item{
							Input: event.Input{
								EventID:   c.id,
								UserID:    event.Given("u"),
								EventType: event.Given("view"),
							},
						},
					)
					mu.Lock()
					defer mu.Unlock()

					switch {
					case err != nil:
						t.Error(err)
					case result.Replayed:
						got["replayed"]++
					default:
						got[string(result.Status)]++
					}
				})
			}

			close(start)
			requests.Wait()
			cancel()
			running.Wait()

			for what, n := range c.want {
				if got[what] != n {
					t.Errorf("%v, want %v", got, c.want)
				}
			}

			var rows int
			if err := db.Pool.QueryRow(
				t.Context(),
				`SELECT count(*) FROM events`,
			).Scan(&rows); err != nil ||
				rows != 1 {
				t.Errorf("%d rows (%v), want 1", rows, err)
			}
		})
	}
}
