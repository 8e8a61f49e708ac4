package rest_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/propagation"

	"tributary/platform/auth"
	"tributary/platform/httpapi"
	"tributary/platform/telemetry"
	"tributary/tracking/internal/api/rest"
	"tributary/tracking/internal/application/command"
	"tributary/tracking/internal/application/ingest"
	"tributary/tracking/internal/application/ingest/ingesttest"
	"tributary/tracking/internal/application/query"
	"tributary/tracking/internal/application/query/querytest"
	"tributary/tracking/internal/domain/event"
)

// memory is the log behind the routes: a store without a coalescer, and a reader of its content.
type memory struct {
	querytest.Log

	store *ingesttest.Store

	mu      sync.Mutex
	failure error
}

func (m *memory) Record(
	ctx context.Context,
	events []event.Event,
	use *ingest.Use,
) ([]ingest.Outcome, error) {
	m.mu.Lock()
	defer m.mu.Unlock()

	if m.failure != nil {
		return nil, m.failure
	}

	var keyed []ingest.Keyed
	if use != nil {
		keyed = append(keyed, ingest.Keyed{Use: use, To: len(events)})
	}

	outcomes, err := m.store.Append(ctx, events, keyed...)
	for i, o := range outcomes {
		if o.State == ingest.Stored {
			m.Add(events[i])
		}
	}

	return outcomes, err
}

func (m *memory) size() int { return len(m.Entries()) }

func (m *memory) last() event.Snapshot {
	entries := m.Entries()
	return entries[len(entries)-1].Event.Snapshot()
}

type counter struct{ n atomic.Int64 }

func (c *counter) New() (string, error) { return fmt.Sprintf("id-%d", c.n.Add(1)), nil }

func (*counter) Derived(parts ...string) string { return "derived-" + strings.Join(parts, "/") }

func clock() time.Time { return time.Date(2026, 11, 23, 12, 0, 0, 123456789, time.UTC) }

// setup serves the routes over a log in memory, with or without tokens.
func setup(tb testing.TB, verifier *auth.Verifier) (base string, log *memory) {
	tb.Helper()
	otel.SetTextMapPropagator(propagation.TraceContext{})
	log = &memory{store: ingesttest.New()}
	api := httpapi.New(httpapi.Config{
		Service:    "tracking",
		Title:      "Tracking",
		Version:    "1",
		HealthPath: "/health",
		Health:     httpapi.NewHealth("tracking"),
		Logger:     slog.New(slog.DiscardHandler),
		Metrics:    telemetry.Metrics(),
		Now:        clock,
		Middleware: middleware(verifier),
	})
	rest.Register(api.Huma, command.New(log, log.store, &counter{}, clock), query.New(log))
	server := httptest.NewServer(api.Router)
	tb.Cleanup(server.Close)

	return server.URL + "/api/v1/tracking/events", log
}

type request struct {
	method, url, media, body string
	headers                  map[string]string
}

type answer struct {
	status int
	header http.Header
	body   string
}

func send(tb testing.TB, r request) answer {
	tb.Helper()

	method := r.method
	if method == "" {
		method = http.MethodPost
	}

	req, err := http.NewRequestWithContext(tb.Context(), method, r.url, strings.NewReader(r.body))
	if err != nil {
		tb.Fatal(err)
	}

	if r.media == "" {
		r.media = "application/json"
	}

	req.Header.Set("Content-Type", r.media)

	for name, value := range r.headers {
		req.Header.Set(name, value)
	}

	got, err := http.DefaultClient.Do(req)
	if err != nil {
		tb.Fatal(err)
	}

	defer func() { _ = got.Body.Close() }()

	text, err := io.ReadAll(got.Body)
	if err != nil {
		tb.Fatal(err)
	}

	return answer{status: got.StatusCode, header: got.Header, body: string(text)}
}

// decode reads an answer's body.
func decode[T any](tb testing.TB, a answer) T {
	tb.Helper()

	var v T
	if err := json.Unmarshal([]byte(a.body), &v); err != nil {
		tb.Fatalf("%v in %s", err, a.body)
	}

	return v
}
