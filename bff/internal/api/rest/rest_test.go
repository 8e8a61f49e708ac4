package rest_test

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-json-experiment/json"
	"github.com/prometheus/client_golang/prometheus"

	"tributary/bff/internal/api/rest"
	"tributary/bff/internal/application/command"
	"tributary/bff/internal/application/command/commandtest"
	"tributary/bff/internal/application/query"
	"tributary/platform/auth"
	"tributary/platform/auth/authtest"
	"tributary/platform/httpapi"
	"tributary/platform/ids"
	"tributary/platform/sealed"
)

func now() time.Time { return time.Date(2026, 11, 23, 12, 0, 0, 123456789, time.UTC) }

type service struct {
	http.Handler
	published *commandtest.Publisher
	records   *records
	token     string
}

func setup(t *testing.T) service {
	t.Helper()
	return setupWith(t, slog.New(slog.DiscardHandler))
}

func setupWith(t *testing.T, logger *slog.Logger) service {
	t.Helper()
	cfg := auth.Config{
		Secret: authtest.Secret, Algorithm: "HS256", RequireValidation: true,
		Issuer: "test-issuer", Audience: "test-audience", Leeway: 30 * time.Second,
	}

	verifier, err := auth.New(t.Context(), cfg, auth.Dependencies{Now: now, Logger: logger})
	if err != nil {
		t.Fatal(err)
	}

	published, kept := &commandtest.Publisher{}, &records{}
	stamper := command.NewStamper(ids.New("bff:command"), (*sealed.Ring)(nil).Hash, now)
	api := httpapi.New(httpapi.Config{
		Service:    "bff",
		Title:      "BFF",
		Version:    "test",
		HealthPath: "/health",
		Health:     httpapi.NewHealth("bff"),
		Logger:     logger,
		Metrics:    prometheus.NewRegistry(),
		Now:        now,
		Middleware: []func(huma.Context, func(huma.Context)){auth.Middleware(verifier, auth.Limits{})},
	})
	rest.Register(api.Huma, rest.UseCases{
		Submit: command.NewSubmitter(stamper, published),
		Read:   query.New(kept),
	})

	return service{
		Handler:   api.Router,
		published: published,
		records:   kept,
		token:     authtest.HS256(t, authtest.Secret, authtest.Claims(now(), "user123")),
	}
}

// post sends a body as JSON with the service's token. headers replace the defaults; "" removes one.
func (s service) post(
	t *testing.T,
	path, body string,
	headers ...string,
) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, path, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+s.token)

	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])

		if headers[i+1] == "" {
			r.Header.Del(headers[i])
		}
	}

	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)

	return w
}

type problem struct {
	Status    int    `json:"status"`
	Code      string `json:"code"`
	Detail    string `json:"detail"`
	RequestID string `json:"request_id"`
	Errors    []struct {
		Field string `json:"field"`
		Code  string `json:"code"`
	} `json:"errors"`
}

func problemOf(t *testing.T, w *httptest.ResponseRecorder) problem {
	t.Helper()

	var p problem

	if w.Header().Get("Content-Type") != "application/problem+json" {
		t.Fatalf("%d is no problem document: %s", w.Code, w.Body)
	}

	if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil {
		t.Fatal(err)
	}

	return p
}

type receipt struct {
	CommandID   string `json:"command_id"`
	CommandType string `json:"command_type"`
	Status      string `json:"status"`
	UserID      string `json:"user_id"`
	SubmittedAt string `json:"submitted_at"`
}

func receiptOf(t *testing.T, w *httptest.ResponseRecorder) receipt {
	t.Helper()

	var r receipt

	if w.Code != http.StatusAccepted {
		t.Fatalf("%d %s", w.Code, w.Body)
	}

	if err := json.Unmarshal(w.Body.Bytes(), &r, json.RejectUnknownMembers(true)); err != nil {
		t.Fatal(err)
	}

	return r
}
