package commission_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tributary/bff/internal/application/query"
	"tributary/bff/internal/domain/caller"
	"tributary/bff/internal/infrastructure/commission"
	"tributary/platform/fault"
)

func origin(t *testing.T, user string) query.Origin {
	t.Helper()

	from, err := caller.New(caller.Snapshot{UserID: user})
	if err != nil {
		t.Fatal(err)
	}

	return query.Origin{Caller: from, Bearer: "the-token"}
}

// serve starts a commission service that answers as the handler does, and returns a client of it.
func serve(t *testing.T, handler http.HandlerFunc) *commission.Client {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)

	return client(t, server.URL, 8)
}

func client(t *testing.T, address string, slots int) *commission.Client {
	t.Helper()

	return commission.New(
		commission.Config{
			URL:           address,
			Timeout:       300 * time.Millisecond,
			MaxConcurrent: slots,
			Transport:     http.DefaultTransport,
			Now:           time.Now,
		},
	)
}

func code(err error) string {
	f, ok := fault.As(err)
	if !ok {
		return ""
	}

	return f.Code()
}

func TestCalls(t *testing.T) {
	t.Parallel()

	var seen *http.Request
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		seen = r.Clone(context.WithoutCancel(r.Context()))
		_, _ = w.Write([]byte(`{"user_id": "a/b c", "amount": 1.10}`))
	})

	q := origin(t, "a/b c")
	for name, tc := range map[string]struct {
		call  func() (query.Document, error)
		path  string
		query url.Values
	}{
		"payout":  {func() (query.Document, error) { return c.Payout(t.Context(), q, "id-1") }, "/api/v1/commission/payouts/id-1", url.Values{}},
		"balance": {func() (query.Document, error) { return c.Balance(t.Context(), q) }, "/api/v1/commission/balances/a%2Fb%20c", url.Values{}},
		"payouts": {
			func() (query.Document, error) {
				return c.Payouts(t.Context(), q, "requested", query.Page{Limit: 5, Cursor: "x&y"})
			},
			"/api/v1/commission/payouts",
			url.Values{"user_id": {"a/b c"}, "status": {"requested"}, "limit": {"5"}, "cursor": {"x&y"}},
		},
		"commissions": {
			func() (query.Document, error) {
				return c.Commissions(t.Context(), q, query.CommissionFilter{CampaignID: "c&user_id=other", Currency: "USD"}, query.Page{Limit: 100})
			},
			"/api/v1/commission/commissions",
			url.Values{"user_id": {"a/b c"}, "campaign_id": {"c&user_id=other"}, "currency": {"USD"}, "limit": {"100"}},
		},
	} {
		found, err := tc.call()
		if err != nil || found.Text != `{"user_id": "a/b c", "amount": 1.10}` {
			t.Errorf("%s: %+v %v", name, found, err)
			continue
		}

		if seen.URL.EscapedPath() != tc.path ||
			seen.Header.Get("Authorization") != "Bearer the-token" {
			t.Errorf("%s: %s %v", name, seen.URL.EscapedPath(), seen.Header)
		}

		if diff := cmp.Diff(tc.query, seen.URL.Query()); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// Only a payout may be missing: any other 404 means that the services do not match.
func TestMissingRoute(t *testing.T) {
	t.Parallel()

	c := serve(t, http.NotFound)
	if _, err := c.Balance(t.Context(), origin(t, "user123")); code(err) != "commission_unavailable" {
		t.Errorf("%v", err)
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()

	for name, tc := range map[string]struct {
		status int
		body   string
		want   string
		kind   fault.Kind
	}{
		"not found":        {404, `{"code":"payout_not_found"}`, "payment_not_found", fault.NotFound},
		"bad cursor":       {400, `{"code":"cursor_invalid","detail":"d"}`, "cursor_invalid", fault.Malformed},
		"bad filter":       {422, `{"code":"validation_failed","detail":"d","errors":[{"field":"status","code":"x","message":"m"}]}`, "validation_failed", fault.Invalid},
		"no problem":       {422, `oops`, "commission_unavailable", fault.Unavailable},
		"token refused":    {401, `{"code":"token_expired"}`, "commission_unavailable", fault.Unavailable},
		"forbidden":        {403, `{"code":"role_missing"}`, "commission_unavailable", fault.Unavailable},
		"asks too often":   {429, `{"code":"rate_limited"}`, "rate_limited", fault.Exhausted},
		"long headers":     {431, `431 Request Header Fields Too Large`, "read_refused", fault.Malformed},
		"long address":     {414, ``, "read_refused", fault.Malformed},
		"failure":          {500, `{"code":"internal_error"}`, "commission_unavailable", fault.Unavailable},
		"away":             {503, `{"code":"database_unavailable"}`, "commission_unavailable", fault.Unavailable},
		"redirect":         {302, ``, "commission_unavailable", fault.Unavailable},
		"no JSON":          {200, `<html>`, "commission_unavailable", fault.Unavailable},
		"not an object":    {200, `[1]`, "commission_unavailable", fault.Unavailable},
		"duplicate member": {200, `{"user_id":"a","user_id":"b"}`, "commission_unavailable", fault.Unavailable},
	} {
		c := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "http://127.0.0.1:1/")
			w.WriteHeader(tc.status)
			_, _ = w.Write([]byte(tc.body))
		})
		_, err := c.Payout(t.Context(), origin(t, "user123"), "id-1")

		f, ok := fault.As(err)
		if !ok || f.Code() != tc.want || f.Kind() != tc.kind {
			t.Errorf("%s: %v, want %s", name, err, tc.want)
		}

		if strings.Contains(err.Error(), "user123") || strings.Contains(err.Error(), "the-token") {
			t.Errorf("%s: the error names the user or the token: %v", name, err)
		}
	}
}

// A hanging service costs a caller the timeout, and no more than the allowed calls hang.
func TestHangingService(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})

	var under, most atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		most.Store(max(most.Load(), under.Add(1)))
		defer under.Add(-1)

		select {
		case <-release:
		case <-r.Context().Done():
		}
	}))
	t.Cleanup(server.Close)
	t.Cleanup(func() { close(release) })
	c := client(t, server.URL, 4)
	began := time.Now()

	var callers sync.WaitGroup

	q := origin(t, "user123")
	for range 100 {
		callers.Go(func() {
			if _, err := c.Balance(t.Context(), q); code(err) != "commission_unavailable" {
				t.Errorf("%v", err)
			}
		})
	}

	callers.Wait()

	if took := time.Since(began); took > 2*time.Second {
		t.Errorf("answered after %s", took)
	}

	if most.Load() > 4 {
		t.Errorf("%d calls at once", most.Load())
	}
}

// After five failures in a row one call a second is let through; a success closes the circuit.
func TestCircuit(t *testing.T) {
	t.Parallel()

	var (
		calls   atomic.Int32
		healthy atomic.Bool
	)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		calls.Add(1)

		if !healthy.Load() {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}

		_, _ = w.Write([]byte(`{}`))
	}))
	t.Cleanup(server.Close)

	var mu sync.Mutex
	at := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	c := commission.New(
		commission.Config{
			URL:           server.URL,
			Timeout:       time.Second,
			MaxConcurrent: 8,
			Transport:     http.DefaultTransport,
			Now: func() time.Time {
				mu.Lock()
				defer mu.Unlock()

				return at
			},
		},
	)
	ask := func(times int) {
		for range times {
			_, _ = c.Balance(t.Context(), origin(t, "user123"))
		}
	}
	ask(50)

	if got := calls.Load(); got != 5 {
		t.Errorf("%d calls, want 5 before the circuit opens", got)
	}

	mu.Lock()
	at = at.Add(time.Second)
	mu.Unlock()
	ask(50)

	if got := calls.Load(); got != 6 {
		t.Errorf("%d calls, want one a second", got)
	}

	healthy.Store(true)
	mu.Lock()
	at = at.Add(time.Second)
	mu.Unlock()
	ask(50)

	if got := calls.Load(); got != 56 {
		t.Errorf("%d calls, want all after a success", got)
	}
}

// A refusal that concerns one caller does not affect other callers.
func TestOneCallersRefusalsLeaveTheCircuitClosed(t *testing.T) {
	t.Parallel()

	for name, tc := range map[string]struct {
		status int
		body   string
	}{
		"bad request":     {400, ""},
		"token refused":   {401, `{"code":"token_expired"}`},
		"forbidden":       {403, `{"code":"role_missing"}`},
		"not found":       {404, ""},
		"no problem":      {422, "oops"},
		"too often":       {429, ""},
		"long headers":    {431, "431 Request Header Fields Too Large"},
		"an endless page": {200, `"` + strings.Repeat("x", 9<<20) + `"`},
	} {
		var refusing atomic.Bool

		c := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			if !refusing.Load() {
				_, _ = w.Write([]byte(`{}`))
				return
			}

			w.WriteHeader(tc.status)
			_, _ = w.Write([]byte(tc.body))
		})
		refusing.Store(true)

		for range 20 {
			if _, err := c.Balance(t.Context(), origin(t, "one")); err == nil {
				t.Fatalf("%s: no error", name)
			}
		}

		refusing.Store(false)

		if _, err := c.Balance(t.Context(), origin(t, "another")); err != nil {
			t.Errorf("%s: another caller: %v", name, err)
		}
	}
}
