// Package postgres opens a service's pool and translates PostgreSQL's errors into faults, in one
// place.
package postgres

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/exaring/otelpgx"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"tributary/platform/fault"
)

// Config is how to reach the database.
type Config struct {
	URL         string // a PostgreSQL connection URL
	Application string // application_name, seen in pg_stat_activity
	MaxConns    int32
	Trace       bool // creates a span for each statement
}

const (
	connectTimeout = 5 * time.Second
	retryAfter     = time.Second
)

// Open returns a pool that connects at first use, so that a service starts and stays up without its
// database. An error for an unreadable URL does not contain its password.
func Open(ctx context.Context, c Config) (*pgxpool.Pool, error) {
	cfg, err := pgxpool.ParseConfig(c.URL)
	if err != nil {
		return nil, errors.New(
			"DATABASE_URL is not a PostgreSQL URL such as postgres://user:password@host:5432/database",
		)
	}

	if c.MaxConns > 0 {
		cfg.MaxConns = c.MaxConns
	}

	cfg.MaxConnIdleTime = 5 * time.Minute
	cfg.MaxConnLifetimeJitter = 5 * time.Minute // so that not all are replaced at once

	cfg.ConnConfig.ConnectTimeout = connectTimeout
	for name, value := range map[string]string{
		"application_name": c.Application, "timezone": "UTC", "lock_timeout": "10s",
		"statement_timeout": "30s", "idle_in_transaction_session_timeout": "30s",
	} {
		cfg.ConnConfig.RuntimeParams[name] = value
	}

	if c.Trace {
		cfg.ConnConfig.Tracer = otelpgx.NewTracer()
	}

	return pgxpool.NewWithConfig(ctx, cfg)
}

// Unavailable reports whether the database did not answer or asked for a retry: the same statement
// may succeed later. A connection that cannot be opened counts, whatever the reason, even a wrong
// password. Any other error (a constraint, a value that cannot be stored) recurs.
func Unavailable(err error) bool {
	if err == nil {
		return false
	}

	var pg *pgconn.PgError

	if isConnect(err) {
		return true
	}

	if errors.As(err, &pg) {
		return transient(pg.Code)
	}

	if errors.Is(err, pgx.ErrNoRows) || errors.Is(err, pgx.ErrTooManyRows) {
		return false
	}

	var netErr net.Error

	return pgconn.SafeToRetry(err) || pgconn.Timeout(err) || errors.As(err, &netErr) ||
		errors.Is(err, net.ErrClosed) ||
		errors.Is(err, context.DeadlineExceeded) ||
		lostConnection(err)
}

// Refused reports whether the database refuses the content of the statement (a value that cannot be
// stored, a constraint, a limit): the same content is refused again. An error that is neither
// Unavailable nor Refused, such as a missing table, is not caused by the content: an operator must
// look at it, and no content may be discarded because of it.
func Refused(err error) bool {
	code := Code(err)
	if len(code) != 5 || isConnect(err) {
		return false
	}

	switch code[:2] {
	case "22", "23", "54": // data, constraints, program limits
		return true
	}

	return false
}

// transient reports whether the SQLSTATE is temporary: connection trouble, resources, shutdown, and
// lost races.
func transient(code string) bool {
	switch code {
	// serialization failure, deadlock, lock timeout, statement timeout, demoted to a standby
	case "40001", "40P01", "55P03", "57014", "25006":
		return true
	}

	if len(code) != 5 {
		return false
	}

	switch code[:2] {
	case "08", "53", "57", "58": // connection, resources, operator intervention, system
		return true
	}

	return false
}

func isConnect(err error) bool {
	var connect *pgconn.ConnectError
	return errors.As(err, &connect)
}

// lostConnection reports whether err is one that pgx returns if the server goes away in the middle
// of a statement.
func lostConnection(err error) bool {
	text := err.Error()
	for _, known := range []string{"unexpected EOF", "conn closed", "connection reset", "broken pipe"} {
		if strings.Contains(text, known) {
			return true
		}
	}

	return false
}

// Fault returns fault.ErrDatabase with Retry-After if a retry makes sense, and
// otherwise err prefixed with what was being done.
func Fault(doing string, err error) error {
	if err == nil {
		return nil
	}

	if _, ok := fault.As(err); ok {
		return err
	}

	if Unavailable(err) {
		return fault.ErrDatabase.Because(
			fmt.Errorf("%s: %w", doing, err),
			"The database does not answer; nothing was stored by this request.",
		).RetryIn(retryAfter)
	}

	return fmt.Errorf("%s: %w", doing, err)
}

// Code returns the SQLSTATE of an error, or "".
func Code(err error) string {
	if refusal, ok := Refusal(err); ok {
		return refusal.Code
	}

	return ""
}

// Refusal returns the error of the database in err's chain.
func Refusal(err error) (*pgconn.PgError, bool) {
	var pg *pgconn.PgError
	ok := errors.As(err, &pg)

	return pg, ok
}

// CheckVersion returns an error unless the database has the schema version that this build
// requires, or a newer one: during a rollout the replicas of the old version stay in service.
func CheckVersion(ctx context.Context, pool *pgxpool.Pool, want int64) error {
	var have int64

	err := pool.QueryRow(ctx, `SELECT coalesce(max(version_id), 0) FROM goose_db_version
    WHERE is_applied`).Scan(&have)
	if Code(err) == "42P01" { // undefined table: never migrated
		have, err = 0, nil
	}

	if err != nil {
		return Fault("read the schema version", err)
	}

	if have < want {
		return fmt.Errorf(
			"the database has schema version %d and this build requires %d: run `make migrate`",
			have,
			want,
		)
	}

	return nil
}

// Ready returns a readiness probe: the database must answer, with a schema version that this build
// can use.
func Ready(pool *pgxpool.Pool, want int64) func(context.Context) error {
	return func(ctx context.Context) error { return CheckVersion(ctx, pool, want) }
}
