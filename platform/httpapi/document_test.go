package httpapi_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"

	"tributary/platform/httpapi"
)

// The type of every problem refers to the entry of its code, at the service that answered.
func TestTypeLeadsToTheExplanation(t *testing.T) {
	t.Parallel()
	server, _ := setup(t, nil)

	var problem httpapi.Problem
	if err := json.Unmarshal([]byte(read(t, server.URL+"/nowhere")), &problem); err != nil {
		t.Fatal(err)
	}

	path, anchor, _ := strings.Cut(problem.Type, "#")
	if anchor != problem.Code || anchor != "route_not_found" {
		t.Errorf("type %q of code %q", problem.Type, problem.Code)
	}

	page := read(t, server.URL+path)
	for _, code := range []string{anchor, "note_exists", "internal_error"} {
		if !strings.Contains(page, `id="`+code+`"`) {
			t.Errorf("%s explains no %s", path, code)
		}
	}
}

func read(t *testing.T, url string) string {
	t.Helper()

	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}

	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}

	defer func() { _ = answer.Body.Close() }()

	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}

	return string(text)
}

// A parameter that has no empty value is refused without a value, as the document says.
func TestEmptyParametersAreRefused(t *testing.T) {
	t.Parallel()
	server, _ := setup(t, nil)

	for query, want := range map[string]string{
		"?from=":     "from",
		"?kind=":     "kind",
		"?text=":     "",
		"?kind=note": "",
		"":           "",
	} {
		var problem httpapi.Problem
		if err := json.Unmarshal([]byte(read(t, server.URL+"/search"+query)), &problem); err != nil {
			t.Fatal(err)
		}

		got := ""
		if len(problem.Errors) > 0 {
			got = problem.Errors[0].Field
		}

		if got != want {
			t.Errorf("%s: faults of %q, want %q", query, got, want)
		}
	}
}
