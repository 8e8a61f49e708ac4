package rest_test

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"tributary/platform/httpapi"
	"tributary/platform/ids"
	"tributary/platform/telemetry"
	"tributary/tracking/internal/api/rest"
	"tributary/tracking/internal/application/command"
	"tributary/tracking/internal/application/ingest"
	"tributary/tracking/internal/application/query"
	"tributary/tracking/internal/domain/event"
)

// nothing accepts everything and keeps nothing.
type nothing struct{}

func (nothing) Record(
	_ context.Context,
	events []event.Event,
	_ *ingest.Use,
) ([]ingest.Outcome, error) {
	outcomes := make([]ingest.Outcome, len(events))
	for i, e := range events {
		outcomes[i] = ingest.Outcome{ReceivedAt: e.ReceivedAt(), Hash: e.Hash()}
	}

	return outcomes, nil
}

// The cost of a request in the service itself, without the network and the database.
func BenchmarkRecord(b *testing.B) { benchmark(b, "", purchase) }

func BenchmarkRecordBatch(b *testing.B) {
	benchmark(
		b,
		"/batch",
		`{"events":[`+strings.TrimSuffix(strings.Repeat(purchase+",", 100), ",")+`]}`,
	)
}

func benchmark(b *testing.B, path, body string) {
	b.Helper()
	api := httpapi.New(httpapi.Config{
		Service:    "tracking",
		Title:      "Tracking",
		Version:    "1",
		HealthPath: "/health",
		Health:     httpapi.NewHealth("tracking"),
		Logger:     slog.New(slog.DiscardHandler),
		Metrics:    telemetry.Metrics(),
		Now:        clock,
		Middleware: middleware(nil),
	})
	rest.Register(
		api.Huma,
		command.New(nothing{}, nil, ids.New("tracking:event"), clock),
		query.New(nil),
	)
	b.ReportAllocs()

	for b.Loop() {
		r := httptest.NewRequestWithContext(
			b.Context(),
			http.MethodPost,
			"/api/v1/tracking/events"+path,
			strings.NewReader(body),
		)
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		api.Router.ServeHTTP(w, r)

		if w.Code >= http.StatusMultipleChoices {
			b.Fatalf("%d %s", w.Code, w.Body)
		}
	}
}
