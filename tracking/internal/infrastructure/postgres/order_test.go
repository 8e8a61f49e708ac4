package postgres_test

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"go.uber.org/goleak"

	"tributary/migrations"
	"tributary/migrations/migrationstest"
	platform "tributary/platform/postgres"
	"tributary/tracking/internal/application/ingest"
	"tributary/tracking/internal/application/ingest/ingesttest"
	"tributary/tracking/internal/application/relay"
	"tributary/tracking/internal/domain/event"
	"tributary/tracking/internal/infrastructure/postgres"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// The order of seq is the order of commits: whoever inserts second waits for the first, also when it is nobody of ours.
func TestWritersTakeTurns(t *testing.T) {
	t.Parallel()
	log, db := setup(t)
	const insert = `INSERT INTO events (event_id, user_id, event_type, occurred_at, received_at, body_hash) VALUES ($1, 'u', 'view', now(), now(), '0123456789abcdef')`
	first, err := db.Pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = first.Rollback(context.WithoutCancel(t.Context())) }()
	if _, err := first.Exec(t.Context(), insert, "first"); err != nil {
		t.Fatal(err)
	}
	second, err := db.Pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = second.Rollback(context.WithoutCancel(t.Context())) }()
	if _, err := second.Exec(t.Context(), `SET LOCAL lock_timeout = '100ms'`); err != nil {
		t.Fatal(err)
	}
	if _, err := second.Exec(t.Context(), insert, "second"); platform.Code(err) != "55P03" {
		t.Fatalf("a second writer did not wait for the first (%v): a reader could skip what the first commits later", err)
	}
	if page, err := log.Page(t.Context(), 0, 10); err != nil || len(page) != 0 {
		t.Fatalf("page %v, %v", page, err)
	}
}

// published notes what a relay sends.
type published struct {
	mu    sync.Mutex
	count map[string]int
	last  int64
}

func (p *published) Send(_ context.Context, entry event.Entry, done func(error)) {
	p.mu.Lock()
	p.count[entry.Event.ID()]++
	p.last = entry.Seq
	p.mu.Unlock()
	if rand.IntN(2000) == 0 {
		go done(fmt.Errorf("the broker hiccups"))
		return
	}
	go done(nil)
}

func (p *published) has(id string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.count[id] > 0
}

// Eight writers with batches of all sizes, connections killed at random, a relay that is replaced now and then: every event that was
// acknowledged is published.
func TestNothingAcknowledgedIsSkipped(t *testing.T) {
	t.Parallel()
	db := migrationstest.New(t, migrations.Tracking())
	pool, err := platform.Open(t.Context(), platform.Config{URL: db.URL, MaxConns: 12})
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	out := &published{count: map[string]int{}}
	ctx, cancel := context.WithCancel(t.Context())
	killing, peace := context.WithCancel(ctx)
	var background sync.WaitGroup
	background.Go(func() { relayInTurns(ctx, t, pool, out) })
	background.Go(func() { killConnections(killing, t, db.OwnerURL) })

	var acknowledged sync.Map
	var total atomic.Int64
	var writers sync.WaitGroup
	for w := range 8 {
		writers.Go(func() {
			store := postgres.NewAppender(pool)
			for round := range 40 {
				var batch []event.Event
				for i := range 1 + rand.IntN(1+w*w*4) {
					batch = append(batch, ingesttest.Event(t, fmt.Sprintf("%d-%d-%d", w, round, i), fmt.Sprint("user", w), time.Now()))
				}
				outcomes, err := store.Append(t.Context(), batch)
				if err != nil {
					continue // not acknowledged: it may be published or not
				}
				for i, o := range outcomes {
					if o.State == ingest.Stored {
						acknowledged.Store(batch[i].ID(), true)
						total.Add(1)
					}
				}
			}
		})
	}
	writers.Wait()
	peace()
	missing := func() (n int) {
		acknowledged.Range(func(id, _ any) bool {
			if text, _ := id.(string); !out.has(text) {
				n++
			}
			return true
		})
		return n
	}
	deadline := time.Now().Add(20 * time.Second)
	for missing() > 0 && time.Now().Before(deadline) {
		pause(t.Context(), 50*time.Millisecond)
	}
	cancel()
	background.Wait()
	if n := missing(); n > 0 || total.Load() < 1000 {
		t.Fatalf("%d of %d acknowledged events were never published", n, total.Load())
	}
}

// relayInTurns runs a relay that is replaced by another every second.
// It keeps up with the writers, so that a row which becomes visible late would be behind its position.
func relayInTurns(ctx context.Context, t *testing.T, pool *pgxpool.Pool, out relay.Publisher) {
	t.Helper()
	limits := relay.DefaultLimits()
	limits.Lease, limits.Standby, limits.Save, limits.Poll = 300*time.Millisecond, 50*time.Millisecond, 20*time.Millisecond, time.Millisecond
	for i := 0; ctx.Err() == nil; i++ {
		turn, cancel := context.WithTimeout(ctx, time.Second)
		r := relay.New(limits, relay.Needs{
			Log: postgres.NewLog(pool), Publisher: out, Holder: fmt.Sprint("relay", i), Logger: slog.New(slog.DiscardHandler), Now: time.Now,
		})
		if err := r.Run(turn); err != nil {
			t.Errorf("relay: %v", err)
		}
		cancel()
	}
}

// killConnections ends a random connection of the service every now and then.
func killConnections(ctx context.Context, t *testing.T, ownerURL string) {
	t.Helper()
	owner, err := pgxpool.New(ctx, ownerURL)
	if err != nil {
		t.Error(err)
		return
	}
	defer owner.Close()
	for pause(ctx, time.Duration(30+rand.IntN(100))*time.Millisecond) {
		_, err := owner.Exec(ctx, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'tracking_user' AND datname = current_database() ORDER BY random() LIMIT 1`)
		if err != nil && ctx.Err() == nil {
			t.Errorf("kill: %v", err)
		}
	}
}

// pause waits without sleeping through the end of the test.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
