package httpapi_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"tributary/platform/httpapi"
)

func TestCORS(t *testing.T) {
	t.Parallel()

	inner := http.HandlerFunc(
		func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) },
	)
	for name, tc := range map[string]struct {
		origins []string
		origin  string
		allowed bool
	}{
		"listed": {[]string{"https://app.example"}, "https://app.example", true}, "not listed": {[]string{"https://app.example"}, "https://evil.example", false},
		"suffix": {[]string{"https://app.example"}, "https://app.example.evil.example", false}, "none configured": {nil, "https://app.example", false},
		"null": {[]string{"https://app.example"}, "null", false}, "other scheme": {[]string{"https://app.example"}, "http://app.example", false},
	} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodOptions, "/", http.NoBody)
		r.Header.Set("Origin", tc.origin)
		r.Header.Set("Access-Control-Request-Method", http.MethodPost)
		r.Header.Set("Access-Control-Request-Headers", "authorization,content-type,idempotency-key")
		w := httptest.NewRecorder()
		httpapi.CORS(tc.origins, inner).ServeHTTP(w, r)

		if got := w.Header().Get("Access-Control-Allow-Origin") == tc.origin; got != tc.allowed {
			t.Errorf("%s: %v", name, w.Header())
		}

		if w.Header().Get("Access-Control-Allow-Credentials") != "" {
			t.Errorf("%s: cookies are allowed", name)
		}
	}
}
