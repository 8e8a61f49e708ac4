package httpapi_test

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"tributary/platform/httpapi"
	"tributary/platform/telemetry"
)

// What is given twice has no value: neither of a query, nor of a header.
func TestAParameterIsGivenOnce(t *testing.T) {
	t.Parallel()
	api := httpapi.New(httpapi.Config{
		Service:    "once",
		HealthPath: "/health",
		Health:     httpapi.NewHealth("once"),
		Logger:     slog.New(slog.DiscardHandler),
		Metrics:    telemetry.Metrics(),
		Now:        time.Now,
	})

	server := httptest.NewServer(api.Router)
	t.Cleanup(server.Close)

	type input struct {
		UserID string `query:"user_id"`
		Key    string `header:"Idempotency-Key"`
	}

	huma.Get(api.Huma, "/once", func(context.Context, *input) (*struct{}, error) { return nil, nil })

	for _, c := range []struct {
		query string
		keys  []string
		field string
	}{
		{"?user_id=a", []string{"a"}, ""},
		{"?user_id=a&user_id=b", nil, "user_id"},
		{"?user_id=a&user_id=a", nil, "user_id"},
		{"", []string{"a", "b"}, "Idempotency-Key"},
	} {
		r, err := http.NewRequestWithContext(
			t.Context(),
			http.MethodGet,
			server.URL+"/once"+c.query,
			http.NoBody,
		)
		if err != nil {
			t.Fatal(err)
		}

		r.Header["Idempotency-Key"] = c.keys

		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}

		text, err := io.ReadAll(answer.Body)
		_ = answer.Body.Close()

		if err != nil {
			t.Fatal(err)
		}

		refused := answer.StatusCode == http.StatusUnprocessableEntity &&
			strings.Contains(string(text), `"field":"`+c.field+`","code":"repeated"`)

		if refused != (c.field != "") {
			t.Errorf("%s %v: %d %s", c.query, c.keys, answer.StatusCode, text)
		}
	}
}
