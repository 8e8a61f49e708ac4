package postgres_test

import (
	"strconv"
	"testing"

	"tributary/migrations"
	"tributary/migrations/migrationstest"
	"tributary/tracking/internal/application/ingest"
	"tributary/tracking/internal/application/ingest/ingesttest"
	"tributary/tracking/internal/domain/event"
	"tributary/tracking/internal/infrastructure/postgres"
)

// The cost of a commit of 500 single requests: without keys, and when each, or one of them, has a
// key.
func BenchmarkAppend(b *testing.B) {
	for name, every := range map[string]int{"none with a key": 0, "each with a key": 1, "one with a key": 500} {
		b.Run(name, func(b *testing.B) {
			const rows = 500
			appender := postgres.NewAppender(migrationstest.New(b, migrations.Tracking()).Pool)
			events := make([]event.Event, rows)

			n := 0
			for b.Loop() {
				b.StopTimer()

				var keyed []ingest.Keyed
				for i := range events {
					n++

					events[i] = ingesttest.Event(
						b,
						strconv.Itoa(n),
						"user"+strconv.Itoa(n%1000),
						start(),
					)
					if every > 0 && i%every == 0 {
						keyed = append(
							keyed,
							ingest.Keyed{
								Use: &ingest.Use{
									Caller: "shop",
									Key:    strconv.Itoa(n),
									At:     start(),
								},
								From: i,
								To:   i + 1,
							},
						)
					}
				}

				b.StartTimer()

				if _, err := appender.Append(b.Context(), events, keyed...); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
