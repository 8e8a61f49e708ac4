package postgres_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"

	"tributary/commission/internal/application/command"
	"tributary/commission/internal/domain/event"
	"tributary/commission/internal/infrastructure/postgres"
	"tributary/contracts/eventtype"
	"tributary/migrations"
	"tributary/migrations/migrationstest"
)

const perBatch = 500

func batchOf(n int) []event.Event {
	events := make([]event.Event, perBatch)
	for i := range events {
		events[i] = event.Restore(event.Snapshot{
			ID:         uuid.Must(uuid.NewV7()).String(),
			UserID:     fmt.Sprintf("user%d", (n*perBatch+i)%5000),
			Type:       eventtype.Purchase,
			OccurredAt: start(),
			ReceivedAt: start(),
			Amount:     "100.0",
			ProductID:  "prod456",
		})
	}

	return events
}

// One batch of 500 events as consumption decides it. "B2" is the baseline: a plain unnest of 500
// rows with ON CONFLICT.
func BenchmarkDecide(b *testing.B) {
	db := migrationstest.New(b, migrations.Commission())
	handler := command.NewConsumeEvents(
		postgres.New(db.Pool),
		time.Now,
		func() string { return uuid.Must(uuid.NewV7()).String() },
	)
	ctx := context.Background()
	report := func(b *testing.B) {
		b.Helper()
		b.ReportMetric(float64(b.N*perBatch)/b.Elapsed().Seconds(), "events/s")
	}

	written := func() (bytes float64) {
		const sql = `SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::float8`
		if err := db.Pool.QueryRow(ctx, sql).Scan(&bytes); err != nil {
			b.Fatal(err)
		}

		return bytes
	}

	var last []event.Event
	b.Run("new", func(b *testing.B) {
		n, before := 0, written()
		for b.Loop() {
			b.StopTimer()
			last = batchOf(n)
			n++
			b.StartTimer()

			if _, err := handler.Handle(ctx, last); err != nil {
				b.Fatal(err)
			}
		}

		report(b)
		b.ReportMetric((written()-before)/float64(n*perBatch), "WAL-B/event")
	})
	b.Run("duplicates", func(b *testing.B) {
		for b.Loop() {
			if _, err := handler.Handle(ctx, last); err != nil {
				b.Fatal(err)
			}
		}

		report(b)
	})
}
