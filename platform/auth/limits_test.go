package auth_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"
	"time"

	"tributary/platform/auth"
	"tributary/platform/auth/authtest"
)

// from sends a request with a token from an address.
func from(t *testing.T, h http.Handler, address, token string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/partner", http.NoBody)
	r.RemoteAddr = address
	r.Header.Set("Authorization", "Bearer "+token)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)

	return w
}

func TestCallersAreLimitedByTheirUserID(t *testing.T) {
	t.Parallel()
	c := start()
	h := limitedService(t, verifier(t, hs256(), c), auth.NewLimits(4, time.Minute, c.now))

	one := authtest.HS256(t, authtest.Secret, authtest.Claims(c.at, "user123"))
	for i := range 4 {
		w := from(t, h, fmt.Sprintf("192.0.2.%d:1", i), one)
		header := w.Header()

		if w.Code >= 400 || header.Get("RateLimit-Limit") != "4" ||
			header.Get("RateLimit-Policy") != "4;w=60" ||
			header.Get("RateLimit-Remaining") != strconv.Itoa(3-i) ||
			header.Get("RateLimit-Reset") != strconv.Itoa(15*(i+1)) {
			t.Fatalf("request %d: %d %v", i, w.Code, header)
		}
	}

	c.at = c.at.Add(4 * time.Second)

	w := from(t, h, "192.0.2.1:1", one)
	if w.Code != http.StatusTooManyRequests || problemCode(t, w) != "rate_limited" ||
		w.Header().Get("Retry-After") != "11" || w.Header().Get("RateLimit-Remaining") != "0" {
		t.Errorf("one too many: %d %v", w.Code, w.Header())
	}

	other := authtest.HS256(t, authtest.Secret, authtest.Claims(c.at, "user456"))
	if w := from(t, h, "192.0.2.1:1", other); w.Code >= 400 {
		t.Errorf("another caller: %d", w.Code)
	}

	c.at = c.at.Add(11 * time.Second) // the time in Retry-After

	if w := from(t, h, "192.0.2.1:1", one); w.Code >= 400 {
		t.Errorf("after the wait: %d", w.Code)
	}

	if w := from(t, h, "192.0.2.1:1", one); w.Code != http.StatusTooManyRequests {
		t.Errorf("only one was earned: %d", w.Code)
	}
}

// Invalid tokens are limited by client address; valid ones from the same address are not.
func TestWrongTokensAreLimitedByAddress(t *testing.T) {
	t.Parallel()
	c := start()
	h := limitedService(t, verifier(t, hs256(), c), auth.NewLimits(600, time.Minute, c.now))

	statuses := map[int]int{}
	for i := range 800 {
		w := from(t, h, fmt.Sprintf("192.0.2.1:%d", 1024+i), authtest.HS256(
			t, fmt.Sprint("guess ", i, " of a secret, long enough"), authtest.Claims(c.at, "user123")))
		statuses[w.Code]++

		if w.Code == http.StatusTooManyRequests && w.Header().Get("Retry-After") != "1" {
			t.Fatalf("Retry-After %q", w.Header().Get("Retry-After"))
		}
	}

	if statuses[401] != 300 || statuses[429] != 500 {
		t.Errorf("statuses %v", statuses)
	}

	good := authtest.HS256(t, authtest.Secret, authtest.Claims(c.at, "user123"))
	if w := from(t, h, "192.0.2.1:1", good); w.Code >= 400 {
		t.Errorf("a good token from there: %d", w.Code)
	}

	if w := from(t, h, "192.0.2.2:1", "junk"); w.Code != http.StatusUnauthorized {
		t.Errorf("another address: %d", w.Code)
	}
}

// One client has every address of its IPv6 network.
func TestAddressesOfOneClient(t *testing.T) {
	t.Parallel()

	for _, tc := range []struct {
		one, other string
		same       bool
	}{
		{"[2001:db8::1]:80", "[2001:db8::ffff:1:2:3]:81", true},
		{"[2001:db8:0:1::1]:80", "[2001:db8:0:2::1]:80", false},
		{"192.0.2.1:80", "[::ffff:192.0.2.1]:80", true},
		{"192.0.2.1:80", "192.0.2.2:80", false},
	} {
		c := start()
		h := limitedService(t, verifier(t, hs256(), c), auth.NewLimits(1, time.Minute, c.now))
		from(t, h, tc.one, "junk")

		if limited := from(t, h, tc.other, "junk").Code == 429; limited != tc.same {
			t.Errorf("%s and %s: the same is %t", tc.one, tc.other, limited)
		}
	}
}
