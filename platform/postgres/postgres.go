// Package postgres opens a service's pool and turns what PostgreSQL refuses into faults, in one
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
	Trace       bool // whether statements become spans
}

const (
	connectTimeout = 5 * time.Second
	retryAfter     = time.Second
)

// Open makes a pool that connects when it is first used, so that a service starts and stays up
// without its database. The error tells of a URL that cannot be read, without its password.
func Open(ctx context.Context, c Config) (*pgxpool.Pool, error) {
	cfg, err := pgxpool.ParseConfig(c.URL)
	if err != nil {
		return nil, errors.New(
			"DATABASE_URL is no PostgreSQL URL such as postgres://user:password@host:5432/database",
		)
	}

	if c.MaxConns > 0 {
		cfg.MaxConns = c.MaxConns
	}

	cfg.MaxConnIdleTime = 5 * time.Minute
	cfg.MaxConnLifetimeJitter = 5 * time.Minute // so that not all are made anew at once

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

// Unavailable tells whether the database did not answer or asked to try again: the same statement
// may succeed later. A connection that cannot be made is such a case whatever the reason, be it a
// wrong password. Everything else (a constraint, a value that cannot be stored) fails again.
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

// Refused tells whether the database refuses the content of the statement (a value that cannot be
// stored, a constraint, a limit): the same content is refused again. An error that is neither
// Unavailable nor Refused, such as a missing table, is nobody's content: it takes a look by people,
// and nothing may be thrown away for it.
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

// transient lists the SQLSTATEs that pass by themselves: connection trouble, resources, shutdown,
// and lost races.
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

// lostConnection meets what pgx reports when the server goes away in the middle of a statement.
func lostConnection(err error) bool {
	text := err.Error()
	for _, known := range []string{"unexpected EOF", "conn closed", "connection reset", "broken pipe"} {
		if strings.Contains(text, known) {
			return true
		}
	}

	return false
}

// Fault gives an error of the database the caller's words: database_unavailable with Retry-After
// when trying again makes sense, otherwise the error with what was being done in front of it.
func Fault(doing string, err error) error {
	if err == nil {
		return nil
	}

	if _, ok := fault.As(err); ok {
		return err
	}

	if Unavailable(err) {
		return fault.RetryIn(
			retryAfter,
			"database_unavailable",
			"The database does not answer; nothing was stored by this request.",
			fmt.Errorf("%s: %w", doing, err),
		)
	}

	return fmt.Errorf("%s: %w", doing, err)
}

// Code gives the SQLSTATE of an error, or "".
func Code(err error) string {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return pg.Code
	}

	return ""
}

// CheckVersion returns an error unless the database has the schema version that this build needs,
// or a newer one: while a new version is rolled out, the replicas of the old one stay in service.
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
			"the database has schema version %d and this build needs %d: run `make migrate`",
			have,
			want,
		)
	}

	return nil
}

// Ready is a readiness probe: the database answers, with a schema version that this build can use.
func Ready(pool *pgxpool.Pool, want int64) func(context.Context) error {
	return func(ctx context.Context) error { return CheckVersion(ctx, pool, want) }
}
