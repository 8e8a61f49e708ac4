package rest_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humachi"
	"github.com/go-chi/chi/v5"

	"tributary/bff/internal/api/rest"
	"tributary/platform/auth"
)

// limited is an API that lets four requests a minute through, for callers named by a header.
func limited(t *testing.T, at *time.Time) http.Handler {
	t.Helper()
	router := chi.NewMux()
	api := humachi.New(router, huma.DefaultConfig("test", "1"))
	limiter := rest.NewLimiter(4, time.Minute, func() time.Time { return *at })
	api.UseMiddleware(func(ctx huma.Context, next func(huma.Context)) {
		if user := ctx.Header("X-User"); user != "" {
			ctx = huma.WithContext(ctx, auth.With(ctx.Context(), auth.Identity{UserID: user}))
		}

		next(ctx)
	}, rest.RateLimit(limiter))
	huma.Get(
		api,
		"/",
		func(ctx context.Context, _ *struct{}) (*struct{}, error) { return nil, ctx.Err() },
	)

	return router
}

func ask(t *testing.T, h http.Handler, user string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", http.NoBody)
	r.Header.Set("X-User", user)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)

	return w
}

func TestRateLimit(t *testing.T) {
	t.Parallel()
	at := now()

	h := limited(t, &at)
	for i := range 4 {
		w := ask(t, h, "user123")
		if w.Code >= 400 || w.Header().Get("RateLimit-Limit") != "4" ||
			w.Header().Get("RateLimit-Policy") != "4;w=60" {
			t.Fatalf("request %d: %d %v", i, w.Code, w.Header())
		}

		if remaining, reset := w.Header().Get("RateLimit-Remaining"), w.Header().Get("RateLimit-Reset"); remaining != strconv.Itoa(3-i) ||
			reset != strconv.Itoa(15*(i+1)) {
			t.Errorf("request %d: remaining %s, reset %s", i, remaining, reset)
		}
	}

	at = at.Add(4 * time.Second)

	w := ask(t, h, "user123")
	if p := problemOf(
		t,
		w,
	); w.Code != http.StatusTooManyRequests || p.Code != "rate_limited" || w.Header().Get("Retry-After") != "11" ||
		w.Header().Get("RateLimit-Remaining") != "0" {
		t.Errorf("one too many: %d %v", w.Code, w.Header())
	}

	if w := ask(t, h, "user456"); w.Code >= 400 {
		t.Errorf("another caller: %d", w.Code)
	}

	if w := ask(t, h, ""); w.Code >= 400 || w.Header().Get("RateLimit-Limit") != "" {
		t.Errorf("nobody: %d %v", w.Code, w.Header())
	}

	at = at.Add(11 * time.Second) // what Retry-After said

	if w := ask(t, h, "user123"); w.Code >= 400 {
		t.Errorf("after the wait: %d", w.Code)
	}

	if w := ask(t, h, "user123"); w.Code != http.StatusTooManyRequests {
		t.Errorf("only one was earned: %d", w.Code)
	}
}

func TestLimiterForgetsIdleCallers(t *testing.T) {
	t.Parallel()
	at := now()

	limiter := rest.NewLimiter(4, time.Minute, func() time.Time { return at })
	for i := range 50_000 {
		rest.Take(limiter, fmt.Sprint("user", i))
		at = at.Add(100 * time.Millisecond)

		if size := rest.Callers(limiter); size > 2048 {
			t.Fatalf("%d callers are remembered", size)
		}
	}
}

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
		rest.CORS(tc.origins, inner).ServeHTTP(w, r)

		if got := w.Header().Get("Access-Control-Allow-Origin") == tc.origin; got != tc.allowed {
			t.Errorf("%s: %v", name, w.Header())
		}

		if w.Header().Get("Access-Control-Allow-Credentials") != "" {
			t.Errorf("%s: cookies are allowed", name)
		}
	}
}
