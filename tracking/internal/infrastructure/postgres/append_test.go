package postgres_test

import (
	"context"
	"strconv"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"tributary/migrations"
	"tributary/migrations/migrationstest"
	"tributary/tracking/internal/application/ingest"
	"tributary/tracking/internal/application/ingest/ingesttest"
	"tributary/tracking/internal/domain/event"
	"tributary/tracking/internal/infrastructure/postgres"
)

// inserts counts the statements that are not COPY.
type inserts struct{ atomic.Int32 }

// TraceQueryStart implements pgx.QueryTracer, which is not told about COPY.
func (i *inserts) TraceQueryStart(
	ctx context.Context,
	_ *pgx.Conn,
	_ pgx.TraceQueryStartData,
) context.Context {
	i.Add(1)
	return ctx
}

// TraceQueryEnd implements pgx.QueryTracer.
func (i *inserts) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

// COPY is refused for a single known event. After one, it is not tried for a while, and then again.
func TestCopyRestsAfterARepetition(t *testing.T) {
	t.Parallel()

	config, err := pgxpool.ParseConfig(migrationstest.New(t, migrations.Tracking()).URL)
	if err != nil {
		t.Fatal(err)
	}

	var made inserts

	config.ConnConfig.Tracer = &made

	pool, err := pgxpool.NewWithConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}

	t.Cleanup(pool.Close)

	appender := postgres.NewAppender(pool)
	append1 := func(id string, want ingest.State) int32 {
		t.Helper()

		before := made.Load()

		outcomes, err := appender.Append(
			t.Context(),
			[]event.Event{ingesttest.Event(t, id, "u", start())},
		)
		if err != nil || outcomes[0].State != want {
			t.Fatalf("%s: %+v, %v", id, outcomes, err)
		}

		return made.Load() - before
	}

	if n := append1("first", ingest.Stored); n != 0 {
		t.Errorf("%d statements beside COPY for a new event", n)
	}

	// INSERT, and a look at what the log has
	if n := append1("first", ingest.Repeated); n != 2 {
		t.Errorf("%d statements beside COPY for a repetition", n)
	}

	for i := range postgres.InsertsAfterRepetition {
		if n := append1(strconv.Itoa(i), ingest.Stored); n != 1 {
			t.Fatalf("%d statements for new event %d after a repetition", n, i)
		}
	}

	if n := append1("last", ingest.Stored); n != 0 {
		t.Errorf("%d statements beside COPY for a new event later", n)
	}
}
