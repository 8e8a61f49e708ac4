package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"tributary/platform/fault"
	"tributary/platform/postgres"
)

// server returns the URL of the test server.
func server(t *testing.T) *url.URL {
	t.Helper()

	text := os.Getenv("TEST_POSTGRES_URL")
	if text == "" {
		t.Fatal(
			"TEST_POSTGRES_URL is not set: run `make test`, or `go run ./devstack/cmd/stack " +
				"exec -- go test ./...`",
		)
	}

	u, err := url.Parse(text)
	if err != nil {
		t.Fatal(err)
	}

	return u
}

func open(t *testing.T, u *url.URL, connections int32) *pgxpool.Pool {
	t.Helper()

	pool, err := postgres.Open(
		t.Context(),
		postgres.Config{URL: u.String(), Application: "the test", MaxConns: connections},
	)
	if err != nil {
		t.Fatal(err)
	}

	t.Cleanup(pool.Close)

	return pool
}

func TestOpenSetsLimits(t *testing.T) {
	t.Parallel()

	pool := open(t, server(t), 1)
	for name, want := range map[string]string{
		"application_name": "the test", "timezone": "UTC", "statement_timeout": "30s", "lock_timeout": "10s", "idle_in_transaction_session_timeout": "30s",
	} {
		var got string
		if err := pool.QueryRow(t.Context(), "SHOW "+name).Scan(&got); err != nil || got != want {
			t.Errorf("%s = %q (%v), want %q", name, got, err, want)
		}
	}
}

func TestOpenTellsNothingSecret(t *testing.T) {
	t.Parallel()

	_, err := postgres.Open(
		t.Context(),
		postgres.Config{URL: "postgres://user:s3cret@host:not-a-port/db"},
	)
	if err == nil || strings.Contains(err.Error(), "s3cret") {
		t.Errorf("Open = %v, want an error without the password", err)
	}
}

// A service starts without its database, and each use returns an error.
func TestADatabaseThatCannotBeReachedIsUnavailable(t *testing.T) {
	t.Parallel()

	for name, change := range map[string]func(*url.URL){
		"nothing listens":  func(u *url.URL) { u.Host = "127.0.0.1:1" },
		"no such database": func(u *url.URL) { u.Path = "/nowhere" },
		"no such role":     func(u *url.URL) { u.User = url.UserPassword("nobody-at-all", "x") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			u := server(t)
			change(u)

			_, err := open(t, u, 1).Exec(t.Context(), "SELECT 1")
			if !postgres.Unavailable(err) || postgres.Refused(err) {
				t.Errorf(
					"Unavailable, Refused = %t, %t for %v",
					postgres.Unavailable(err),
					postgres.Refused(err),
					err,
				)
			}

			f, ok := fault.As(postgres.Fault("count", err))
			if !ok || f.Code() != "database_unavailable" || f.Kind() != fault.Unavailable ||
				f.RetryAfter != time.Second ||
				strings.Contains(f.Detail, "127.0.0.1") {
				t.Errorf("Fault = %+v", f)
			}
		})
	}
}

func TestErrorsAreClassifiedByTheirCode(t *testing.T) {
	t.Parallel()
	pool := open(t, server(t), 2)

	type class struct{ unavailable, refused bool }
	again := class{unavailable: true}
	content := class{refused: true}

	people := class{}
	for code, want := range map[string]class{
		"08006": again, "53300": again, "57P01": again, "57P03": again, "57014": again, "58030": again, "40001": again, "40P01": again, "55P03": again, "25006": again,
		"22003": content, "22021": content, "22P02": content, "22P05": content, "23502": content, "23505": content, "23514": content, "54000": content,
		"42P01": people, "42703": people, "42501": people, "P0001": people, "XX000": people,
	} {
		_, err := pool.Exec(
			t.Context(),
			fmt.Sprintf("DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '%s'; END $$", code),
		)

		got := class{postgres.Unavailable(err), postgres.Refused(err)}
		if got != want || postgres.Code(err) != code {
			t.Errorf("%s: %+v, want %+v (%v)", code, got, want, err)
		}

		if _, ok := fault.As(postgres.Fault("x", err)); ok != want.unavailable {
			t.Errorf("%s: Fault is one: %t, want %t", code, ok, want.unavailable)
		}
	}

	known := fault.ErrShuttingDown
	if postgres.Unavailable(nil) || postgres.Refused(nil) || postgres.Fault("x", nil) != nil ||
		!errors.Is(postgres.Fault("x", known), known) {
		t.Error("nil or a fault is not kept as it is")
	}
}

func TestAConnectionThatEndsUnderAStatementIsUnavailable(t *testing.T) {
	t.Parallel()
	pool := open(t, server(t), 2)

	conn, err := pool.Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Release()

	failed := make(chan error)
	go func() {
		_, err := conn.Exec(context.WithoutCancel(t.Context()), "SELECT pg_sleep(30)")
		failed <- err
	}()

	for ended := false; !ended; {
		err := pool.QueryRow(
			t.Context(),
			"SELECT coalesce(bool_or(pg_terminate_backend(pid)), false) FROM pg_stat_activity "+
				"WHERE pid = $1 AND state = 'active'",
			conn.Conn().PgConn().PID(),
		).Scan(&ended)
		if err != nil {
			t.Fatal(err)
		}
	}

	if err := <-failed; !postgres.Unavailable(err) {
		t.Errorf("Unavailable = false for %v", err)
	}

	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()

	if _, err := pool.Exec(ctx, "SELECT pg_sleep(30)"); !postgres.Unavailable(err) {
		t.Errorf("Unavailable = false for %v", err)
	}
}

func TestVersion(t *testing.T) {
	t.Parallel()

	pool := open(t, server(t), 1) // one connection, so that its temporary table replaces goose's
	if err := postgres.CheckVersion(t.Context(), pool, 2); err == nil ||
		!strings.Contains(err.Error(), "version 0 and this build requires 2: run `make migrate`") {
		t.Errorf("CheckVersion before any migration = %v", err)
	}

	if _, err := pool.Exec(t.Context(), `CREATE TEMP TABLE goose_db_version (version_id bigint,
    is_applied boolean); INSERT INTO goose_db_version VALUES (0, true), (1, true), (2, true), (3,
    false)`); err != nil {
		t.Fatal(err)
	}

	for version, what := range map[int64]string{2: "the same", 1: "a newer"} {
		if err := postgres.Ready(pool, version)(t.Context()); err != nil {
			t.Errorf("Ready with %s schema = %v", what, err)
		}
	}

	if postgres.CheckVersion(t.Context(), pool, 3) == nil {
		t.Error("CheckVersion = nil for a schema that is too old")
	}
}
