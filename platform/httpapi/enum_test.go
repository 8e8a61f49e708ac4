package httpapi_test

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"tributary/platform/httpapi"
	"tributary/platform/telemetry"
)

// size is the values of an enumeration.
type size struct{}

func (size) Values() []string { return []string{"small", "large"} }

// The document names the values of an enumeration in the order in which they are given, and a
// request with another text is refused, wherever it stands.
func TestAnEnumHasItsValuesOnly(t *testing.T) {
	t.Parallel()
	api := httpapi.New(httpapi.Config{
		Service:    "sizes",
		HealthPath: "/health",
		Health:     httpapi.NewHealth("sizes"),
		Logger:     slog.New(slog.DiscardHandler),
		Metrics:    telemetry.Metrics(),
		Now:        time.Now,
	})

	type input struct {
		Of   httpapi.Enum[size] `query:"of"`
		Body struct {
			Size httpapi.Enum[size] `json:"size"`
		}
	}

	type output struct {
		Body struct {
			Sizes []httpapi.Enum[size] `json:"sizes"`
		}
	}

	huma.Post(api.Huma, "/sizes", func(_ context.Context, in *input) (*output, error) {
		var out output

		out.Body.Sizes = []httpapi.Enum[size]{in.Of, in.Body.Size}

		return &out, nil
	})

	server := httptest.NewServer(api.Router)
	t.Cleanup(server.Close)

	for _, c := range []struct {
		query, body string
		status      int
		want        string
	}{
		{"?of=small", "large", http.StatusOK, `"sizes":["small","large"]`},
		{"?of=middle", "large", http.StatusUnprocessableEntity, `"field":"of","code":"invalid_value"`},
		{"?of=small", "Large", http.StatusUnprocessableEntity, `"field":"size","code":"invalid_value"`},
		{"?of=small", "", http.StatusUnprocessableEntity, `"field":"size","code":"invalid_value"`},
	} {
		status, text := post(t, server.URL+"/sizes"+c.query, `{"size":"`+c.body+`"}`)
		if status != c.status || !strings.Contains(text, c.want) {
			t.Errorf("%s %q: %d %s", c.query, c.body, status, text)
		}
	}

	schema := httpapi.Enum[size]("").Schema(nil)
	if schema.Type != huma.TypeString || !slices.Equal(schema.Enum, []any{"small", "large"}) {
		t.Errorf("the schema is %+v", schema)
	}
}

func post(t *testing.T, url, body string) (status int, text string) {
	t.Helper()

	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}

	r.Header.Set("Content-Type", "application/json")

	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}

	defer func() { _ = answer.Body.Close() }()

	read, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}

	return answer.StatusCode, string(read)
}
