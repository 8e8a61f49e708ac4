package httpapi_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-json-experiment/json"

	"tributary/platform/fault"
	"tributary/platform/httpapi"
	"tributary/platform/telemetry"
)

type noteInput struct {
	Body struct {
		Text  string `json:"text" minLength:"1" maxLength:"10"`
		Count int    `json:"count,omitempty"`
	}
}

// user is the key of a caller's name.
type user struct{}

type noteOutput struct {
	Body struct {
		Text string `json:"text"`
	}
}

type searchInput struct {
	From time.Time `query:"from"`
	Kind string    `query:"kind" enum:"note"`
	Text string    `query:"text"`
}

// setup serves GET /search, POST /notes, whose handler returns failure, and GET /health with the
// checks.
var errNoteExists = fault.Define(fault.Conflict, "note_exists", "It is there already.")

func setup(
	t *testing.T,
	failure error,
	checks ...httpapi.Check,
) (*httptest.Server, *httpapi.Health) {
	t.Helper()
	health := httpapi.NewHealth("notes", checks...)
	api := httpapi.New(httpapi.Config{
		Service:    "notes",
		Title:      "Notes",
		Version:    "1",
		HealthPath: "/health",
		Health:     health,
		Logger:     slog.New(slog.DiscardHandler),
		Metrics:    telemetry.Metrics(),
		Now:        time.Now,
		Caller:     func(ctx context.Context) string { name, _ := ctx.Value(user{}).(string); return name },
		Middleware: []func(huma.Context, func(huma.Context)){
			func(ctx huma.Context, next func(huma.Context)) {
				next(huma.WithValue(ctx, user{}, ctx.Header("X-User")))
			},
		},
	})
	huma.Get(api.Huma, "/search", func(context.Context, *searchInput) (*noteOutput, error) {
		return &noteOutput{}, nil
	})
	huma.Register(
		api.Huma,
		huma.Operation{
			OperationID: "add-note",
			Method:      http.MethodPost,
			Path:        "/notes",
			Errors:      []int{422},
		},
		func(_ context.Context, in *noteInput) (*noteOutput, error) {
			if in.Body.Text == "panic" {
				panic("boom")
			}

			var out noteOutput
			out.Body.Text = in.Body.Text

			return &out, failure
		},
	)
	server := httptest.NewServer(api.Router)
	t.Cleanup(server.Close)

	return server, health
}

func send(t *testing.T, method, url, contentType, body string) (*http.Response, string) {
	t.Helper()

	r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}

	r.Header.Set("Content-Type", contentType)

	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}

	defer func() { _ = answer.Body.Close() }()

	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}

	return answer, string(text)
}

func problemIn(t *testing.T, answer *http.Response, body string) httpapi.Problem {
	t.Helper()

	var p httpapi.Problem

	if got := answer.Header.Get("Content-Type"); got != "application/problem+json" {
		t.Fatalf("Content-Type = %q, want a problem document; body %s", got, body)
	}

	if err := json.Unmarshal([]byte(body), &p); err != nil {
		t.Fatalf("problem document: %v in %s", err, body)
	}

	if p.RequestID == "" || p.RequestID != answer.Header.Get("X-Request-ID") ||
		p.Status != answer.StatusCode {
		t.Fatalf("problem %s does not agree with the answer's status and X-Request-ID", body)
	}

	return p
}

func TestBadRequestsAreProblems(t *testing.T) {
	t.Parallel()
	server, _ := setup(t, nil)

	const plain = "application/json"
	for name, c := range map[string]struct {
		method, path, contentType, body string
		status                          int
		code, field                     string
	}{
		"unknown path":       {"GET", "/nothing", plain, "", 404, "route_not_found", ""},
		"wrong method":       {"DELETE", "/notes", plain, "", 405, "method_not_allowed", ""},
		"unknown page":       {"GET", "/docs/nothing", plain, "", 404, "route_not_found", ""},
		"page not written":   {"DELETE", "/docs", plain, "", 405, "method_not_allowed", ""},
		"file not written":   {"POST", "/docs/errors", plain, "", 405, "method_not_allowed", ""},
		"no body":            {"POST", "/notes", plain, "", 400, "json_empty", ""},
		"byte order mark":    {"POST", "/notes", plain, "\xef\xbb\xbf{}", 400, "json_byte_order_mark", ""},
		"null":               {"POST", "/notes", plain, `{"text":null,"count":null}`, 422, "required", "text"},
		"null body":          {"POST", "/notes", plain, `null`, 422, "wrong_type", "body"},
		"not JSON":           {"POST", "/notes", plain, "{", 400, "json_syntax", ""},
		"duplicate key":      {"POST", "/notes", plain, `{"text":"a","text":"b"}`, 400, "json_duplicate_key", ""},
		"other content type": {"POST", "/notes", "text/plain", `{"text":"a"}`, 415, "unsupported_content_type", ""},
		"no content type":    {"POST", "/notes", "", `{"text":"a"}`, 415, "unsupported_content_type", ""},
		"too large":          {"POST", "/notes", plain, `{"text":"` + strings.Repeat("a", httpapi.MaxBody) + `"}`, 413, "body_too_large", ""},
		"missing field":      {"POST", "/notes", plain, `{}`, 422, "required", "text"},
		"unknown field":      {"POST", "/notes", plain, `{"text":"a","tExt":"b"}`, 422, "unknown_field", "tExt"},
		"wrong type":         {"POST", "/notes", plain, `{"text":1}`, 422, "wrong_type", "text"},
		"too long":           {"POST", "/notes", plain, `{"text":"aaaaaaaaaaa"}`, 422, "too_long", "text"},
		"unknown query":      {"POST", "/notes?x=1", plain, `{"text":"a"}`, 422, "unknown_field", "x"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			answer, body := send(t, c.method, server.URL+c.path, c.contentType, c.body)

			p := problemIn(t, answer, body)
			if p.Status != c.status {
				t.Fatalf("status = %d, want %d: %s", p.Status, c.status, body)
			}

			if c.field == "" {
				if p.Code != c.code {
					t.Fatalf("code = %q, want %q", p.Code, c.code)
				}

				return
			}

			if p.Code != "validation_failed" || len(p.Errors) != 1 ||
				p.Errors[0].Field != c.field ||
				p.Errors[0].Code != c.code {
				t.Fatalf("problem = %s, want one fault %s of field %s", body, c.code, c.field)
			}
		})
	}
}

func TestFaultsBecomeStatuses(t *testing.T) {
	t.Parallel()

	for kind, want := range map[fault.Kind]int{
		fault.Malformed: 400, fault.Unauthenticated: 401, fault.Forbidden: 403, fault.NotFound: 404, fault.NotAllowed: 405,
		fault.NotAcceptable: 406, fault.Conflict: 409, fault.Stale: 412, fault.TooLarge: 413, fault.UnsupportedType: 415,
		fault.Invalid: 422, fault.Exhausted: 429, fault.Unavailable: 503,
	} {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			server, _ := setup(t, fault.Relayed(kind, errNoteExists.Name(), "It is there already."))
			answer, body := send(t, "POST", server.URL+"/notes", "application/json", `{"text":"a"}`)

			p := problemIn(t, answer, body)
			if p.Status != want || p.Code != "note_exists" {
				t.Fatalf("problem = %s, want status %d and the fault's code", body, want)
			}

			if retry := answer.Header.Get(
				"Retry-After",
			); (want == 503 || want == 429) != (retry == "1") {
				t.Fatalf("Retry-After = %q at status %d", retry, want)
			}

			if challenge := answer.Header.Get(
				"WWW-Authenticate",
			); (want == 401) != (challenge != "") {
				t.Fatalf("WWW-Authenticate = %q at status %d", challenge, want)
			}
		})
	}
}

func TestUnknownErrorsTellNothing(t *testing.T) {
	t.Parallel()

	server, _ := setup(t, errors.New("password is hunter2"))
	for _, text := range []string{"a", "panic"} {
		answer, body := send(
			t,
			"POST",
			server.URL+"/notes",
			"application/json",
			`{"text":"`+text+`"}`,
		)
		if p := problemIn(t, answer, body); p.Status != 500 || p.Code != "internal_error" ||
			strings.Contains(body, "hunter2") {
			t.Fatalf("problem = %s, want a 500 that hides the cause", body)
		}
	}
}

// A caller that leaves before the answer causes no error in the log or in the metrics.
func TestACallerWhoLeftIsNoFailure(t *testing.T) {
	t.Parallel()

	for name, failure := range map[string]error{
		"nothing known": context.Canceled,
		"a dependency":  fault.ErrDatabase.Because(context.Canceled, "Away."),
	} {
		var log bytes.Buffer
		api := httpapi.New(httpapi.Config{
			Service:    "notes",
			Title:      "Notes",
			Version:    "1",
			HealthPath: "/health",
			Health:     httpapi.NewHealth("notes"),
			Logger:     slog.New(slog.NewTextHandler(&log, nil)),
			Metrics:    telemetry.Metrics(),
			Now:        time.Now,
		})

		var leave func()
		huma.Register(
			api.Huma,
			huma.Operation{OperationID: "list-notes", Method: http.MethodGet, Path: "/notes"},
			func(context.Context, *struct{}) (*noteOutput, error) {
				leave()
				return nil, failure
			},
		)

		for _, leaves := range []bool{true, false} {
			log.Reset()

			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()

			leave = func() {}
			if leaves {
				leave = cancel
			}

			api.Router.ServeHTTP(
				httptest.NewRecorder(),
				httptest.NewRequestWithContext(ctx, http.MethodGet, "/notes", http.NoBody),
			)

			if logged := log.Len() > 0; logged == leaves {
				t.Errorf("%s, the caller left: %t: logged %q", name, leaves, log.String())
			}
		}

		answer := httptest.NewRecorder()
		api.Router.ServeHTTP(
			answer,
			httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", http.NoBody),
		)

		for _, status := range []string{"499", "50"} {
			if n := strings.Count(
				answer.Body.String(),
				`http_request_duration_seconds_count{method="GET",route="/notes",status="`+status,
			); n != 1 {
				t.Errorf("%s: %d series of status %s, want one", name, n, status)
			}
		}
	}
}

func TestHealthTellsOfDependencies(t *testing.T) {
	t.Parallel()
	away := func(context.Context) error { return errors.New("refused") }
	here := func(context.Context) error { return nil }
	server, health := setup(
		t,
		nil,
		httpapi.Check{Name: "postgres", Needed: true, Probe: here},
		httpapi.Check{Name: "pulsar", Probe: away},
	)

	answer, body := send(t, "GET", server.URL+"/readyz", "", "")
	if p := problemIn(t, answer, body); p.Code != "not_ready" || len(p.Errors) != 1 ||
		p.Errors[0].Field != "pulsar" {
		t.Fatalf("/readyz = %s, want not_ready that names pulsar only", body)
	}

	if answer, body = send(t, "GET", server.URL+"/health", "", ""); answer.StatusCode != 200 ||
		!strings.Contains(body, `"degraded"`) {
		t.Fatalf(
			"/health = %d %s, want 200 degraded: what is away is not needed",
			answer.StatusCode,
			body,
		)
	}

	health.Drain()

	answer, body = send(t, "GET", server.URL+"/readyz", "", "")
	if p := problemIn(t, answer, body); p.Code != "shutting_down" {
		t.Fatalf("/readyz while draining = %s, want shutting_down", body)
	}

	if answer, _ = send(t, "GET", server.URL+"/livez", "", ""); answer.StatusCode != 200 {
		t.Fatalf("/livez while draining = %d, want 200", answer.StatusCode)
	}
}

func TestNeededDependencyTakesHealthDown(t *testing.T) {
	t.Parallel()
	server, _ := setup(
		t,
		nil,
		httpapi.Check{
			Name:   "postgres",
			Needed: true,
			Probe:  func(context.Context) error { return errors.New("refused") },
		},
	)

	answer, body := send(t, "GET", server.URL+"/health", "", "")
	if p := problemIn(t, answer, body); p.Code != "not_ready" ||
		answer.Header.Get("Retry-After") == "" {
		t.Fatalf("/health = %s, want not_ready with Retry-After", body)
	}
}

func TestReadinessTellsPeopleWhatToDo(t *testing.T) {
	t.Parallel()
	server, _ := setup(
		t,
		nil,
		httpapi.Check{
			Name:  "relay",
			Probe: func(context.Context) error { return fmt.Errorf("wrapped: %w", httpapi.AdviceError("raise the limit")) },
		},
	)

	answer, body := send(t, "GET", server.URL+"/readyz", "", "")
	if p := problemIn(t, answer, body); p.Code != "not_ready" || len(p.Errors) != 1 ||
		p.Errors[0].Message != "raise the limit" {
		t.Fatalf("/readyz = %s, want the advice", body)
	}
}

func TestRequestIDIsHonouredWhenPlain(t *testing.T) {
	t.Parallel()

	server, _ := setup(t, nil)
	for sent, kept := range map[string]bool{"abc-123": true, "has space": false, strings.Repeat("x", 129): false} {
		r, err := http.NewRequestWithContext(
			t.Context(),
			http.MethodGet,
			server.URL+"/livez",
			http.NoBody,
		)
		if err != nil {
			t.Fatal(err)
		}

		r.Header.Set("X-Request-ID", sent)

		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}

		_ = answer.Body.Close()
		if got := answer.Header.Get("X-Request-ID"); (got == sent) != kept || got == "" {
			t.Errorf("X-Request-ID %q came back as %q", sent, got)
		}
	}
}

func TestOpenAPIListsTheCodes(t *testing.T) {
	t.Parallel()
	server, _ := setup(t, nil)

	_, body := send(t, "GET", server.URL+"/openapi.json", "", "")
	for _, want := range []string{`"note_exists"`, `"validation_failed"`, `"bearer"`} {
		if !strings.Contains(body, want) {
			t.Errorf("/openapi.json does not hold %s", want)
		}
	}
}

func TestAChangeOfReadinessIsLoggedOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, changeReadiness)
}

func changeReadiness(t *testing.T) {
	var (
		log  bytes.Buffer
		away atomic.Bool
	)
	away.Store(true)
	health := httpapi.NewHealth(
		"notes",
		httpapi.Check{Name: "postgres", Probe: func(context.Context) error {
			if away.Load() {
				return errors.New("connection refused")
			}

			return nil
		}},
	)

	api := httpapi.New(httpapi.Config{
		Service:    "notes",
		Title:      "Notes",
		Version:    "1",
		HealthPath: "/health",
		Health:     health,
		Logger:     slog.New(slog.NewTextHandler(&log, nil)),
		Metrics:    telemetry.Metrics(),
		Now:        time.Now,
	})
	for range 3 {
		time.Sleep(2 * time.Second) // a finding is fresh for one
		api.Router.ServeHTTP(
			httptest.NewRecorder(),
			httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/readyz", http.NoBody),
		)
	}

	if text := log.String(); strings.Count(text, "\n") != 1 ||
		!strings.Contains(text, "postgres: connection refused") {
		t.Fatalf(
			"three probes without the dependency logged %q, want one line with the cause",
			text,
		)
	}

	log.Reset()
	away.Store(false)

	for range 3 {
		time.Sleep(2 * time.Second) // a finding is fresh for one
		api.Router.ServeHTTP(
			httptest.NewRecorder(),
			httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/readyz", http.NoBody),
		)
	}

	if text := log.String(); strings.Count(text, "\n") != 1 ||
		!strings.Contains(text, "msg=ready") {
		t.Fatalf("three probes with the dependency logged %q, want one line", text)
	}
}

// Hundreds of concurrent readiness requests that are cancelled at once cause one probe and no
// warning.
func TestReadinessIsProbedOnceForAllWhoAsk(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var (
			log    bytes.Buffer
			probes atomic.Int64
		)
		health := httpapi.NewHealth(
			"notes",
			httpapi.Check{Name: "broker", Probe: func(ctx context.Context) error {
				probes.Add(1)

				select {
				case <-time.After(10 * time.Millisecond):
					return nil
				case <-ctx.Done():
					return ctx.Err()
				}
			}},
		)
		api := httpapi.New(httpapi.Config{
			Service:    "notes",
			Title:      "Notes",
			Version:    "1",
			HealthPath: "/health",
			Health:     health,
			Logger:     slog.New(slog.NewTextHandler(&log, nil)),
			Metrics:    telemetry.Metrics(),
			Now:        time.Now,
		})

		var wg sync.WaitGroup
		for range 600 {
			wg.Go(func() {
				ctx, leave := context.WithTimeout(t.Context(), time.Millisecond)
				defer leave()

				api.Router.ServeHTTP(
					httptest.NewRecorder(),
					httptest.NewRequestWithContext(ctx, http.MethodGet, "/readyz", http.NoBody),
				)
			})
		}

		wg.Wait()

		if probes.Load() != 1 || strings.Contains(log.String(), "WARN") {
			t.Errorf("%d probes, logged %q", probes.Load(), log.String())
		}

		time.Sleep(2 * time.Second)
		api.Router.ServeHTTP(
			httptest.NewRecorder(),
			httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/health", http.NoBody),
		)

		if probes.Load() != 2 {
			t.Errorf("%d probes in all, want a second one for the next second", probes.Load())
		}
	})
}
