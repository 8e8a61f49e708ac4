package postgres_test

import (
	"cmp"
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"tributary/migrations"
	"tributary/migrations/migrationstest"
	"tributary/platform/fault"
	"tributary/platform/idempotency/idempotencytest"
	platform "tributary/platform/postgres"
	"tributary/platform/relay/relaytest"
	"tributary/tracking/internal/application/command"
	"tributary/tracking/internal/application/ingest"
	"tributary/tracking/internal/application/ingest/ingesttest"
	"tributary/tracking/internal/application/query"
	"tributary/tracking/internal/application/query/querytest"
	"tributary/tracking/internal/domain/event"
	"tributary/tracking/internal/infrastructure/postgres"
)

func start() time.Time { return time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC) }

func TestTheLogKeepsItsContracts(t *testing.T) {
	t.Parallel()
	ingesttest.Suite(t, func(t *testing.T) ingest.Store {
		t.Helper()
		return postgres.NewAppender(migrationstest.New(t, migrations.Tracking()).Pool)
	})
	ingesttest.KeysSuite(t, func(t *testing.T) (ingest.Store, command.Keys) {
		t.Helper()
		pool := migrationstest.New(t, migrations.Tracking()).Pool

		return postgres.NewAppender(pool), postgres.NewKeys(pool)
	})
	idempotencytest.Suite(t, keys)
	querytest.Suite(t, func(t *testing.T, events ...event.Event) query.Log {
		t.Helper()
		log, _ := setup(t, events...)

		return log
	})
	relaytest.Suite(t, 3, 7, func(t *testing.T) relaytest.Lease[int64] {
		t.Helper()
		log, _ := setup(t)

		return log
	})
}

func TestTheLogIsReadAsTheContractSays(t *testing.T) {
	t.Parallel()
	relaytest.ReaderSuite(t, func(t *testing.T) relaytest.LogWorld[int64, event.Entry] {
		t.Helper()

		log, db := setup(t)
		appender := postgres.NewAppender(db.Pool)

		return relaytest.LogWorld[int64, event.Entry]{
			Log:     log,
			Compare: cmp.Compare[int64],
			Add: func(ctx context.Context) error {
				_, err := appender.Append(
					ctx,
					[]event.Event{ingesttest.Event(t, uuid.NewString(), "u", start())},
				)

				return err
			},
		}
	})
}

// keys returns the keys of an empty log.
func keys(t *testing.T) idempotencytest.World {
	t.Helper()
	pool := migrationstest.New(t, migrations.Tracking()).Pool

	return idempotencytest.World{
		Keys: postgres.NewKeys(pool),
		Use: func(t *testing.T, key string, at time.Time) {
			t.Helper()

			if _, err := postgres.NewAppender(pool).Append(
				t.Context(),
				[]event.Event{ingesttest.Event(t, key, "u", at)},
				ingest.Keyed{Use: &ingest.Use{Key: key, At: at}, To: 1},
			); err != nil {
				t.Fatal(err)
			}
		},
		Known: func(t *testing.T) []string {
			t.Helper()

			rows, err := pool.Query(t.Context(), `SELECT key FROM idempotency_keys ORDER BY key`)
			if err != nil {
				t.Fatal(err)
			}

			known, err := pgx.CollectRows(rows, pgx.RowTo[string])
			if err != nil {
				t.Fatal(err)
			}

			return known
		},
	}
}

// setup returns a log with the events in it.
func setup(t *testing.T, events ...event.Event) (*postgres.Log, migrationstest.Database) {
	t.Helper()

	db := migrationstest.New(t, migrations.Tracking())
	if len(events) > 0 {
		if _, err := postgres.NewAppender(db.Pool).Append(t.Context(), events); err != nil {
			t.Fatal(err)
		}
	}

	return postgres.NewLog(db.Pool), db
}

func newEvent(t *testing.T, in event.Input) event.Event {
	t.Helper()

	e, faults := event.New(
		in,
		event.Receipt{
			ID:          "made",
			At:          start(),
			Traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
		},
	)
	if len(faults) > 0 {
		t.Fatal(faults)
	}

	return e
}

func TestContentThatPostgresRefusesIsCalledSo(t *testing.T) {
	t.Parallel()
	_, db := setup(t)

	snapshot := querytest.Full(t).Snapshot()
	for name, change := range map[string]func(*event.Snapshot){
		"NUL":        func(f *event.Snapshot) { f.Metadata = "{\"a\":\"\x00\"}" },
		"bad UTF-8":  func(f *event.Snapshot) { f.UserID = "\xff" },
		"no user":    func(f *event.Snapshot) { f.UserID = "" },
		"endless id": func(f *event.Snapshot) { f.ID = string(make([]byte, 129)) },
	} {
		bad := snapshot
		change(&bad)

		_, err := postgres.NewAppender(db.Pool).Append(
			t.Context(),
			[]event.Event{
				newEvent(t, event.Input{UserID: event.Given("u"), EventType: event.Given("view")}),
				event.Restore(bad),
			},
		)
		if !errors.Is(err, ingest.ErrRefused) {
			t.Errorf("%s: Append = %v, want ErrRefused", name, err)
		}
	}

	var count int
	if err := db.Pool.QueryRow(
		t.Context(),
		`SELECT count(*) FROM events`,
	).Scan(&count); err != nil ||
		count != 0 {
		t.Fatalf("%d events are stored (%v); a refused batch stores nothing", count, err)
	}
}

func TestADatabaseThatIsAwayIsUnavailable(t *testing.T) {
	t.Parallel()

	pool, err := platform.Open(
		t.Context(),
		platform.Config{URL: "postgres://nobody@127.0.0.1:1/none", MaxConns: 1},
	)
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	log := postgres.NewLog(pool)
	_, appendErr := postgres.NewAppender(pool).Append(t.Context(), []event.Event{querytest.Full(t)})
	_, _, eventErr := log.Event(t.Context(), "x")
	_, _, listErr := log.Events(t.Context(), query.Filter{}, 0, 1)
	_, pageErr := log.Read(t.Context(), 0, 1)

	_, _, leadErr := log.Lead(t.Context(), "me", time.Second)
	for name, err := range map[string]error{"Append": appendErr, "Event": eventErr, "Events": listErr, "Page": pageErr, "Lead": leadErr} {
		if !errors.Is(err, fault.ErrDatabase) {
			t.Errorf("%s = %v, want database_unavailable", name, err)
		}
	}
}

// Only an error that proves it may be reported as "nothing was stored".
func TestErrorsTellWhatIsKnown(t *testing.T) {
	t.Parallel()

	for name, c := range map[string]struct {
		err, want error
	}{
		"rolled back":             {&pgconn.PgError{SeverityUnlocalized: "ERROR", Code: "55P03"}, fault.ErrDatabase},
		"shutdown":                {&pgconn.PgError{SeverityUnlocalized: "FATAL", Code: "57P01"}, fault.ErrDatabase},
		"the log cannot be saved": {&pgconn.PgError{SeverityUnlocalized: "PANIC", Code: "58030"}, ingest.ErrUnknown},
		"a pooler lost it":        {&pgconn.PgError{SeverityUnlocalized: "FATAL", Code: "08P01"}, ingest.ErrUnknown},
		"no answer":               {io.ErrUnexpectedEOF, ingest.ErrUnknown},
		"content":                 {&pgconn.PgError{SeverityUnlocalized: "ERROR", Code: "22021"}, ingest.ErrRefused},
	} {
		if got := postgres.Classify(c.err); !errors.Is(got, c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

// between calls a function before each statement that looks for known events, on the connection
// that sends it.
type between func(*pgx.Conn)

func (b between) TraceQueryStart(
	ctx context.Context,
	conn *pgx.Conn,
	sent pgx.TraceQueryStartData,
) context.Context {
	if strings.HasPrefix(sent.SQL, "SELECT event_id, body_hash") {
		b(conn)
	}

	return ctx
}

func (between) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

// If the connection ends after the commit and before the look-up of duplicates, the outcome is
// unknown; if all events were known before, nothing was stored.
func TestACommitWithoutAnAnswerIsNotCalledNothing(t *testing.T) {
	t.Parallel()
	_, db := setup(t, ingesttest.Event(t, "known", "u", start()))

	cfg, err := pgxpool.ParseConfig(db.URL)
	if err != nil {
		t.Fatal(err)
	}

	cfg.MaxConns = 1
	cfg.ConnConfig.Tracer = between(func(conn *pgx.Conn) {
		if _, err := db.Pool.Exec(
			t.Context(),
			`SELECT pg_terminate_backend($1, 10000)`,
			conn.PgConn().PID(),
		); err != nil {
			t.Error(err)
		}
	})

	pool, err := pgxpool.NewWithConfig(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()

	appender := postgres.NewAppender(pool)
	if _, err := appender.Append(
		t.Context(),
		[]event.Event{ingesttest.Event(t, "known", "u", start())},
	); !errors.Is(err, fault.ErrDatabase) {
		t.Errorf("nothing was stored: %v, want database_unavailable", err)
	}

	_, err = appender.Append(
		t.Context(),
		[]event.Event{
			ingesttest.Event(t, "known", "u", start()),
			ingesttest.Event(t, "new", "u", start()),
		},
	)
	if !errors.Is(err, ingest.ErrUnknown) {
		t.Errorf("a new event was stored: %v, want outcome_unknown", err)
	}

	if _, stored, err := postgres.NewLog(db.Pool).Event(t.Context(), "new"); !stored || err != nil {
		t.Fatalf("the new event is stored: %t, %v", stored, err)
	}
}

func TestTheLogIsAppendOnlyForEveryRole(t *testing.T) {
	t.Parallel()
	_, db := setup(t, querytest.Full(t))

	owner, err := pgxpool.New(t.Context(), db.OwnerURL)
	if err != nil {
		t.Fatal(err)
	}
	defer owner.Close()

	for _, statement := range []string{`UPDATE events SET user_id = 'x'`, `DELETE FROM events`, `TRUNCATE events`} {
		if _, err := db.Pool.Exec(t.Context(), statement); platform.Code(err) != "42501" {
			t.Errorf("the service may %s: %v", statement, err)
		}

		if _, err := owner.Exec(t.Context(), statement); platform.Code(err) != "23001" {
			t.Errorf("the owner may %s: %v", statement, err)
		}
	}

	for _, statement := range []string{`INSERT INTO relay (id) VALUES (false)`, `DELETE FROM relay`, `UPDATE idempotency_keys SET key = 'x'`, `TRUNCATE idempotency_keys`} {
		if _, err := db.Pool.Exec(t.Context(), statement); platform.Code(err) != "42501" {
			t.Errorf("the service may %s: %v", statement, err)
		}
	}
}
