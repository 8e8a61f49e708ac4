package postgres_test

import (
	"context"
	"strconv"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"tributary/migrations"
	"tributary/migrations/migrationstest"
	"tributary/tracking/internal/application/ingest"
	"tributary/tracking/internal/application/ingest/ingesttest"
	"tributary/tracking/internal/application/query"
	"tributary/tracking/internal/domain/event"
	"tributary/tracking/internal/infrastructure/postgres"
)

// Statements planned while the log is empty are used when it is not, until statistics exist. No
// statement may scan the whole log, neither at the start nor later.
func TestNoStatementScansTheLog(t *testing.T) {
	t.Parallel()

	db := migrationstest.New(t, migrations.Tracking())

	owner, err := pgx.Connect(t.Context(), db.OwnerURL)
	if err != nil {
		t.Fatal(err)
	}

	t.Cleanup(func() { _ = owner.Close(context.WithoutCancel(t.Context())) })

	if _, err := owner.Exec(t.Context(), `ALTER TABLE events SET (autovacuum_enabled = off);
    ALTER TABLE idempotency_keys SET (autovacuum_enabled = off)`); err != nil {
		t.Fatal(err)
	}

	const (
		rounds = 60
		batch  = 100
	)

	appender := postgres.NewAppender(db.Pool)
	log := postgres.NewLog(db.Pool)
	keys := postgres.NewKeys(db.Pool)

	for round := range rounds {
		var (
			events []event.Event
			keyed  []ingest.Keyed
		)
		for i := range batch {
			name := strconv.Itoa(round*batch + i)
			events = append(events, ingesttest.Event(t, name, "user"+strconv.Itoa(i%7), start()))
			keyed = append(keyed, ingest.Keyed{
				Use:  &ingest.Use{Caller: "shop", Key: name, At: start()},
				From: i,
				To:   i + 1,
			})
		}

		for range 2 { // the second time everything is known
			if _, err := appender.Append(t.Context(), events, keyed...); err != nil {
				t.Fatal(err)
			}
		}

		readLog(t, log, keys, int64(round*batch))
	}

	db.Pool.Close() // a session reports its statistics when it ends

	for _, table := range []string{"events", "idempotency_keys"} {
		scans, fetched := reads(t, owner, table)
		if scans > 0 {
			t.Errorf("%s was scanned %d times", table, scans)
		}

		if limit := 30 * rounds * batch; fetched > limit {
			t.Errorf("%s: %d rows read for %d events", table, fetched, rounds*batch)
		}
	}
}

// readLog calls every read of the log.
func readLog(t *testing.T, log *postgres.Log, keys *postgres.Keys, position int64) {
	t.Helper()

	check := func(err error) {
		t.Helper()

		if err != nil {
			t.Error(err)
		}
	}

	_, _, err := log.Event(t.Context(), strconv.FormatInt(position, 10))
	check(err)

	_, err = log.Read(t.Context(), position, 100)
	check(err)

	_, _, err = log.Lead(t.Context(), "me", time.Second)
	check(err)

	_, err = log.Advance(t.Context(), "me", position, time.Second)
	check(err)

	_, _, err = keys.Find(t.Context(), "shop", strconv.FormatInt(position, 10))
	check(err)

	_, err = keys.Forget(t.Context(), start().Add(-time.Hour), 100)
	check(err)

	day := start().AddDate(0, 0, -1)
	for _, filter := range []query.Filter{
		{},
		{UserID: "user1"},
		{CampaignID: "c"},
		{Type: "refund"},
		{Type: "view"},
		{From: day},
		{To: day},
		{From: day, To: start()},
	} {
		_, _, err := log.Events(t.Context(), filter, position, 10)
		check(err)
	}
}

// reads returns the scans of the table and the rows read by its indexes, once all sessions of the
// service have ended.
func reads(t *testing.T, owner *pgx.Conn, table string) (scans, fetched int) {
	t.Helper()

	for busy := true; busy; {
		if err := owner.QueryRow(t.Context(), `SELECT EXISTS (SELECT FROM pg_stat_activity
    WHERE datname = current_database() AND usename = 'tracking_user')`).Scan(&busy); err != nil {
			t.Fatal(err)
		}
	}

	if err := owner.QueryRow(t.Context(), `SELECT seq_scan, coalesce(idx_tup_fetch, 0)
    FROM pg_stat_user_tables WHERE relname = $1`, table).Scan(&scans, &fetched); err != nil {
		t.Fatal(err)
	}

	return scans, fetched
}
