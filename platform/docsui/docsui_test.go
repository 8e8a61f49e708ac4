package docsui_test

import (
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"tributary/platform/docsui"
)

func setup(t *testing.T) http.Handler {
	t.Helper()

	return docsui.Handler(`Tracking "<b>" API`, "/openapi.json", []docsui.Error{
		{Code: "token_missing", Status: 401, Meaning: "Send <one> token."},
	}, http.NotFound)
}

func get(
	t *testing.T,
	handler http.Handler,
	path string,
	headers ...string,
) *httptest.ResponseRecorder {
	t.Helper()

	request := httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil)
	for i := 0; i+1 < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}

	recorder := httptest.NewRecorder()
	handler.ServeHTTP(recorder, request)

	return recorder
}

func text(t *testing.T, r io.Reader) string {
	t.Helper()

	body, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}

	return string(body)
}

// The page loads nothing from other origins, and each file that it refers to is served with its
// type.
func TestPageIsSelfContained(t *testing.T) {
	t.Parallel()
	handler := setup(t)
	response := get(t, handler, "/docs")

	page := text(t, response.Body)
	if response.Code != http.StatusOK ||
		!strings.HasPrefix(response.Header().Get("Content-Type"), "text/html") {
		t.Fatalf("page: %d %s", response.Code, response.Header().Get("Content-Type"))
	}

	if strings.Contains(page, "<b>") {
		t.Error("the title is not escaped")
	}

	types := map[string]string{
		".css": "text/css; charset=utf-8",
		".js":  "text/javascript; charset=utf-8",
		".png": "image/png",
	}

	references := regexp.MustCompile(`(?:src|href)="([^"]*)"`).FindAllStringSubmatch(page, -1)
	if len(references) < 5 {
		t.Fatalf("only %d references found in the page", len(references))
	}

	for _, reference := range references {
		if reference[1] == "/openapi.json" {
			continue
		}

		if !strings.HasPrefix(reference[1], "docs/") {
			t.Errorf("reference to another place: %s", reference[1])
			continue
		}

		asset := get(t, handler, "/"+reference[1])

		want := types[reference[1][strings.LastIndex(reference[1], "."):]]
		if asset.Code != http.StatusOK || asset.Header().Get("Content-Type") != want {
			t.Errorf("%s: %d %s", reference[1], asset.Code, asset.Header().Get("Content-Type"))
		}

		if len(text(t, asset.Body)) < 100 {
			t.Errorf("%s is all but empty", reference[1])
		}
	}

	elsewhere := regexp.MustCompile(`(?i)(https?:)?//[a-z0-9]`)
	for name, content := range map[string]string{"page": page, "init.js": text(t, get(t, handler, "/docs/init.js").Body)} {
		if found := elsewhere.FindString(content); found != "" {
			t.Errorf("%s names another origin: %s", name, found)
		}
	}

	styles := text(t, get(t, handler, "/docs/swagger-ui.css").Body)
	for _, match := range regexp.MustCompile(`url\(["']?([^"')]{0,12})`).FindAllStringSubmatch(styles, -1) {
		if !strings.HasPrefix(match[1], "data:") {
			t.Errorf("style sheet loads %s", match[1])
		}
	}

	if strings.Contains(styles, "@import") || strings.Contains(styles, "sourceMappingURL") {
		t.Error("style sheet refers to another file")
	}
}

// The policy keeps the bundle from calling other origins.
func TestContentSecurityPolicy(t *testing.T) {
	t.Parallel()

	policy := get(t, setup(t), "/docs").Header().Get("Content-Security-Policy")
	if !strings.HasPrefix(policy, "default-src 'none'") {
		t.Fatalf("policy %q", policy)
	}

	for directive := range strings.SplitSeq(policy, ";") {
		name, sources, _ := strings.Cut(strings.TrimSpace(directive), " ")
		for _, source := range strings.Fields(sources) {
			allowed := source == "'self'" || source == "'none'" ||
				(source == "data:" && name != "script-src" && name != "connect-src") ||
				(source == "'unsafe-inline'" && name == "style-src-attr")
			if !allowed {
				t.Errorf("%s allows %s", name, source)
			}
		}
	}
}

func TestCompression(t *testing.T) {
	t.Parallel()
	handler := setup(t)

	plain := text(t, get(t, handler, "/docs/swagger-ui-bundle.js").Body)
	for accept, zipped := range map[string]bool{
		"gzip": true, "br, gzip;q=0.5": true, "*": true, "GZIP": true,
		"": false, "br": false, "gzip;q=0": false, "gzip; q=0.0, *": false, "identity": false,
	} {
		response := get(t, handler, "/docs/swagger-ui-bundle.js", "Accept-Encoding", accept)
		if response.Header().Get("Vary") != "Accept-Encoding" {
			t.Errorf("%q: no Vary", accept)
		}

		body := io.Reader(response.Body)
		if (response.Header().Get("Content-Encoding") == "gzip") != zipped {
			t.Fatalf("%q: encoding %q", accept, response.Header().Get("Content-Encoding"))
		}

		if zipped {
			reader, err := gzip.NewReader(body)
			if err != nil {
				t.Fatal(err)
			}

			body = reader
		}

		if text(t, body) != plain {
			t.Errorf("%q: other content", accept)
		}
	}
}

func TestCaching(t *testing.T) {
	t.Parallel()

	handler := setup(t)
	for _, path := range []string{"/docs", "/docs/swagger-ui.css", "/docs/init.js"} {
		first := get(t, handler, path)
		if first.Header().Get("Cache-Control") == "" {
			t.Errorf("%s: no Cache-Control", path)
		}

		again := get(t, handler, path, "If-None-Match", first.Header().Get("ETag"))
		if again.Code != http.StatusNotModified {
			t.Errorf("%s: %d, want 304", path, again.Code)
		}

		other := get(t, handler, path, "If-None-Match", `"other"`)
		if other.Code != http.StatusOK {
			t.Errorf("%s: %d, want 200", path, other.Code)
		}
	}
}

func TestUnknownPaths(t *testing.T) {
	t.Parallel()

	handler := setup(t)
	for _, path := range []string{"/docs/nothing", "/docs/../docsui.go", "/docs/assets/init.js", "/docsx"} {
		if code := get(t, handler, path).Code; code != http.StatusNotFound {
			t.Errorf("%s: %d", path, code)
		}
	}

	if code := get(t, handler, "/docs/").Code; code != http.StatusMovedPermanently {
		t.Errorf("/docs/: %d", code)
	}
}

// discard is a response that keeps only the headers.
type discard struct{ header http.Header }

func (d discard) Header() http.Header       { return d.header }
func (discard) Write(p []byte) (int, error) { return len(p), nil }
func (discard) WriteHeader(int)             {}

// A client that does not take gzip costs no more than one that does: files are unpacked once.
//
//nolint:paralleltest // it counts allocations of the process
func TestFilesAreUnpackedOnce(t *testing.T) {
	handler := docsui.Handler("Notes", "/openapi.json", nil, http.NotFound)
	request := httptest.NewRequestWithContext(
		t.Context(),
		http.MethodGet,
		"/docs/swagger-ui-bundle.js",
		http.NoBody,
	)

	var before, after runtime.MemStats

	handler.ServeHTTP(discard{http.Header{}}, request)
	runtime.ReadMemStats(&before)

	for range 100 {
		handler.ServeHTTP(discard{http.Header{}}, request)
	}

	runtime.ReadMemStats(&after)

	if took := after.TotalAlloc - before.TotalAlloc; took > 1<<20 {
		t.Errorf("100 answers allocate %d KiB", took>>10)
	}
}

// The page keeps a token only while it is open.
func TestThePageKeepsNoToken(t *testing.T) {
	t.Parallel()

	w := httptest.NewRecorder()
	docsui.Handler("Notes", "/openapi.json", nil, http.NotFound).ServeHTTP(w, httptest.NewRequestWithContext(
		t.Context(),
		http.MethodGet,
		"/docs/init.js",
		http.NoBody,
	))

	if !strings.Contains(w.Body.String(), "persistAuthorization: false") {
		t.Errorf("init.js: %s", w.Body)
	}
}
