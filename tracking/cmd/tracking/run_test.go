package main

import (
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"tributary/contracts"
	"tributary/migrations"
	"tributary/migrations/migrationstest"
	"tributary/platform/brokertest"
)

// serve runs the service on the database and a namespace of its own, and returns its address.
func serve(t *testing.T, databaseURL string) (base string) {
	t.Helper()

	plan, err := contracts.Plan(contracts.TrackingEvents)
	if err != nil {
		t.Fatal(err)
	}

	namespace := brokertest.Namespace(t, plan)

	var lc net.ListenConfig

	listener, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}

	address := listener.Addr().String()
	_ = listener.Close()
	t.Chdir(t.TempDir()) // no .env

	for name, value := range map[string]string{
		"AUTH_REQUIRED": "false", "HTTP_ADDR": address, "DATABASE_URL": databaseURL, "LOG_LEVEL": "error",
		"APP_ENV": "development", "PULSAR_SERVICE_URL": os.Getenv("TEST_PULSAR_URL"), "PULSAR_TOPIC": namespace.Topic(contracts.TrackingEvents),
	} {
		t.Setenv(name, value)
	}

	brokertest.Run(t, func(ctx context.Context) error { return run(ctx, nil) })

	return "http://" + address
}

// get returns the status of an answer, or 0 without one.
func get(ctx context.Context, url string) int {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return 0
	}

	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0
	}

	defer func() { _ = answer.Body.Close() }()
	_, _ = io.Copy(io.Discard, answer.Body)

	return answer.StatusCode
}

// record posts an event and fails the test unless it is recorded in time.
func record(t *testing.T, base, key string) {
	t.Helper()

	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
	defer cancel()

	request, err := http.NewRequestWithContext(
		ctx,
		http.MethodPost,
		base+"/api/v1/tracking/events",
		strings.NewReader(`{"user_id":"u","event_type":"view"}`),
	)
	if err != nil {
		t.Fatal(err)
	}

	request.Header.Set("Content-Type", "application/json")

	if key != "" {
		request.Header.Set("Idempotency-Key", key)
	}

	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatalf("record with key %q: %v", key, err)
	}

	_ = answer.Body.Close()
	if answer.StatusCode != http.StatusCreated {
		t.Fatalf("record with key %q: %s", key, answer.Status)
	}
}

// eventually waits until the condition is true, at most for the time within.
func eventually(t *testing.T, within time.Duration, what string, is func() bool) {
	t.Helper()

	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()

	for deadline := time.Now().Add(within); !is(); <-tick.C {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within %v", what, within)
		}
	}
}

// Hanging lists, more of them than list connections, stop neither commits nor the relay nor
// readiness.
//
//nolint:paralleltest // the settings belong to the process
func TestListsThatHangStopNoOtherCaller(t *testing.T) {
	db := migrationstest.New(t, migrations.Tracking())
	base := serve(t, db.URL)
	eventually(
		t,
		30*time.Second,
		"readiness",
		func() bool { return get(t.Context(), base+"/readyz") == http.StatusOK },
	)

	owner, err := pgx.Connect(t.Context(), db.OwnerURL)
	if err != nil {
		t.Fatal(err)
	}

	defer func() { _ = owner.Close(context.WithoutCancel(t.Context())) }()

	const hang = `CREATE OR REPLACE FUNCTION events_received_since(since timestamptz) RETURNS bigint
    LANGUAGE sql AS $$ SELECT pg_advisory_xact_lock(1); SELECT 0::bigint $$`
	for _, statement := range []string{hang, `SELECT pg_advisory_lock(1)`} {
		if _, err := owner.Exec(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}

	ctx, cancel := context.WithCancel(t.Context())

	var lists sync.WaitGroup
	defer lists.Wait()
	defer cancel()

	for range 30 {
		lists.Go(
			func() { get(ctx, base+"/api/v1/tracking/events?occurred_from=2026-01-01T00:00:00Z") },
		)
	}

	number := func(query string) (n int64) {
		if err := owner.QueryRow(t.Context(), query).Scan(&n); err != nil {
			t.Fatal(err)
		}

		return n
	}
	eventually(t, 10*time.Second, "8 lists that hang", func() bool {
		return number(`SELECT count(*) FROM pg_locks JOIN pg_database ON database = pg_database.oid
    WHERE datname = current_database() AND NOT granted`) == 8
	})
	record(t, base, "")
	record(t, base, "key")
	record(t, base, "key") // the first answer again
	eventually(
		t,
		3*time.Second,
		"the relay",
		func() bool { return number(`SELECT pos FROM relay`) == number(`SELECT max(seq) FROM events`) },
	)

	if status := get(t.Context(), base+"/readyz"); status != http.StatusOK {
		t.Errorf("/readyz = %d", status)
	}

	if _, err := owner.Exec(t.Context(), `SELECT pg_advisory_unlock(1)`); err != nil {
		t.Fatal(err)
	}

	lists.Wait()
}
