package postgres_test

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"go.uber.org/goleak"

	"tributary/migrations"
	"tributary/migrations/migrationstest"
	platform "tributary/platform/postgres"
	"tributary/platform/relay"
	"tributary/tracking/internal/application/ingest"
	"tributary/tracking/internal/application/ingest/ingesttest"
	"tributary/tracking/internal/domain/event"
	"tributary/tracking/internal/infrastructure/postgres"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A reader of seq > position would skip a transaction that has a lower seq and commits after one
// with a higher seq. The trigger prevents it for every writer, including other programs; without
// the trigger the reader does skip it.
func TestAReaderSkipsNothingAsLongAsWritersTakeTurns(t *testing.T) {
	t.Parallel()

	for name, c := range map[string]struct {
		change string
		want   []string
	}{
		"with the trigger":    {`SELECT`, []string{"first", "second"}},
		"without the trigger": {`DROP TRIGGER events_in_order ON events`, []string{"second"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			log, db := setup(t)

			owner, err := pgxpool.New(t.Context(), db.OwnerURL)
			if err != nil {
				t.Fatal(err)
			}
			defer owner.Close()

			if _, err := owner.Exec(t.Context(), c.change); err != nil {
				t.Fatal(err)
			}

			if got := readWhileTwoWrite(t, log, db.Pool, owner); !slices.Equal(got, c.want) {
				t.Errorf("read %v, want %v", got, c.want)
			}
		})
	}
}

// readWhileTwoWrite lets a second writer insert while the first has inserted but not committed, and
// returns the ids that are read: after the position reached by then, and from there on when both
// have committed.
func readWhileTwoWrite(t *testing.T, log *postgres.Log, pool, owner *pgxpool.Pool) (ids []string) {
	t.Helper()

	const insert = `INSERT INTO events (event_id, user_id, event_type, occurred_at, received_at,
    body_hash) VALUES ($1, 'u', 'view', now(), now(), '0123456789abcdef')`
	position := int64(0)
	read := func() {
		page, err := log.Read(t.Context(), position, 10)
		if err != nil {
			t.Fatal(err)
		}

		for _, entry := range page {
			ids, position = append(ids, entry.Event.ID()), entry.Seq
		}
	}

	first, err := pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}

	defer func() { _ = first.Rollback(context.WithoutCancel(t.Context())) }()

	if _, err := first.Exec(t.Context(), insert, "first"); err != nil {
		t.Fatal(err)
	}

	second := make(chan error, 1)
	go func() {
		_, err := pool.Exec(t.Context(), insert, "second")
		second <- err
	}()

	waits := func() (waits bool) {
		const waiting = `SELECT EXISTS (SELECT FROM pg_locks JOIN pg_database
    ON database = pg_database.oid WHERE datname = current_database() AND NOT granted)`
		if err := owner.QueryRow(t.Context(), waiting).Scan(&waits); err != nil {
			t.Fatal(err)
		}

		return waits
	}
	for len(second) == 0 && !waits() {
		pause(t.Context(), time.Millisecond)
	}

	read()

	if err := first.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}

	if err := <-second; err != nil {
		t.Fatal(err)
	}

	read()

	return ids
}

// published records what a relay sends.
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

// Eight replicas write batches of all sizes and repeat what was not acknowledged, connections are
// killed at random, and the relay stops or dies repeatedly: every event is acknowledged in the end,
// and published.
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

	var (
		acknowledged sync.Map
		total        atomic.Int64
		writers      sync.WaitGroup
	)
	for w := range 8 {
		replica := ingest.NewCoalescer(ingest.DefaultLimits(), ingest.Dependencies{
			Store:     postgres.NewAppender(pool),
			Stored:    func() {},
			Committed: func(int, time.Duration) {},
			Logger:    slog.New(slog.DiscardHandler),
			Now:       time.Now,
		})
		background.Go(func() { _ = replica.Run(ctx) })
		writers.Go(func() {
			for round := range 100 {
				var batch []event.Event
				for i := range 1 + rand.IntN(1+w*w*4) {
					batch = append(
						batch,
						ingesttest.Event(
							t,
							fmt.Sprintf("%d-%d-%d", w, round, i),
							fmt.Sprint("user", w),
							time.Now(),
						),
					)
				}

				for _, id := range recordAll(t, replica, batch) {
					acknowledged.Store(id, true)
					total.Add(1)
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

// recordAll repeats a request until each of its events is acknowledged, as a careful client does,
// and returns their ids.
func recordAll(t *testing.T, replica *ingest.Coalescer, batch []event.Event) (ids []string) {
	t.Helper()

	for len(batch) > 0 && t.Context().Err() == nil {
		outcomes, err := replica.Record(t.Context(), batch, nil)
		if err != nil {
			continue
		}

		var left []event.Event
		for i, o := range outcomes {
			switch o.State {
			case ingest.Stored, ingest.Repeated:
				ids = append(ids, batch[i].ID())
			case ingest.Failed:
				left = append(left, batch[i])
			case ingest.Differs, ingest.Refused, ingest.KeyUsed:
				t.Errorf("%s: %+v", batch[i].ID(), o)
			}
		}

		batch = left
	}

	return ids
}

// relayInTurns runs a relay that is replaced continually. Every second one dies: it neither saves
// its position nor resigns. The relays keep up with the writers, so that a row which becomes
// visible late would be behind their position.
func relayInTurns(ctx context.Context, t *testing.T, pool *pgxpool.Pool, out relay.Publisher[event.Entry]) {
	t.Helper()
	limits := relay.DefaultLimits()
	limits.Lease = 300 * time.Millisecond
	limits.Standby = 50 * time.Millisecond
	limits.Save = 20 * time.Millisecond

	limits.Poll = time.Millisecond
	for i := 0; ctx.Err() == nil; i++ {
		turn, cancel := context.WithTimeout(ctx, 400*time.Millisecond)

		log := &mortal{Log: postgres.NewLog(pool)}
		if i%2 == 1 {
			log.life = turn
		}

		r := relay.New(limits, relay.Dependencies[int64, event.Entry]{
			Log:       log,
			Publisher: out,
			Compare:   cmp.Compare[int64],
			Holder:    fmt.Sprint("relay", i),
			Logger:    slog.New(slog.DiscardHandler),
			Now:       time.Now,
		})
		if err := r.Run(turn); err != nil {
			t.Errorf("relay: %v", err)
		}

		cancel()
	}
}

// mortal is the log of a relay that dies when its life ends: later calls do not reach the database.
type mortal struct {
	*postgres.Log

	life context.Context //nolint:containedctx // the relay's; nil for one that stops in order
}

func (m *mortal) dead() error {
	if m.life == nil {
		return nil
	}

	return m.life.Err()
}

func (m *mortal) Advance(
	ctx context.Context,
	holder string,
	position int64,
	lease time.Duration,
) (bool, error) {
	if err := m.dead(); err != nil {
		return false, err
	}

	return m.Log.Advance(ctx, holder, position, lease)
}

func (m *mortal) Resign(ctx context.Context, holder string) error {
	if err := m.dead(); err != nil {
		return err
	}

	return m.Log.Resign(ctx, holder)
}

// killConnections ends a random connection of the service from time to time.
func killConnections(ctx context.Context, t *testing.T, ownerURL string) {
	t.Helper()

	owner, err := pgxpool.New(ctx, ownerURL)
	if err != nil {
		t.Error(err)
		return
	}
	defer owner.Close()

	for pause(ctx, time.Duration(30+rand.IntN(100))*time.Millisecond) {
		_, err := owner.Exec(ctx, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE usename = 'tracking_user' AND datname = current_database() ORDER BY random() LIMIT 1`)
		if err != nil && ctx.Err() == nil {
			t.Errorf("kill: %v", err)
		}
	}
}

// pause waits for d, or until the test ends.
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
