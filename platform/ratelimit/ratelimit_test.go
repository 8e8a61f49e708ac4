package ratelimit_test

import (
	"fmt"
	"testing"
	"time"

	"tributary/platform/fault"
	"tributary/platform/ratelimit"
)

func TestForgetsIdleCallers(t *testing.T) {
	t.Parallel()

	at := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

	limiter := ratelimit.New(4, time.Minute, func() time.Time { return at })
	for i := range 50_000 {
		limiter.Take(fmt.Sprint("user", i))
		at = at.Add(100 * time.Millisecond)

		if size := ratelimit.Callers(limiter); size > 2048 {
			t.Fatalf("%d callers are remembered", size)
		}
	}
}

// A limit of 0 is no limit.
func TestNoLimit(t *testing.T) {
	t.Parallel()

	limiter := ratelimit.New(0, time.Minute, time.Now)
	for range 10_000 {
		if err := limiter.Take("user123").Err(); err != nil {
			t.Fatal(err)
		}
	}

	limiter.Headers(ratelimit.Allowance{}, func(name, _ string) { t.Errorf("header %s", name) })
}

// Waiting for Retry-After is enough.
func TestTheWaitIsEnough(t *testing.T) {
	t.Parallel()

	at := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	limiter := ratelimit.New(7, 10*time.Second, func() time.Time { return at })

	passed := 0
	for range 1000 {
		allowance := limiter.Take("user123")
		if err := allowance.Err(); err == nil {
			passed++
			continue
		} else if f, _ := fault.As(err); f.Code() != "rate_limited" || f.RetryAfter != allowance.Wait {
			t.Fatal(err)
		}

		at = at.Add(allowance.Wait)

		if limiter.Take("user123").Err() != nil {
			t.Fatal("refused after the wait")
		}

		passed++
	}

	if passed != 7+1000-7 {
		t.Errorf("%d passed", passed)
	}
}

func TestFaults(t *testing.T) {
	t.Parallel()

	for _, tc := range []struct {
		limit      int
		window     time.Duration
		production bool
		want       int
	}{
		{600, time.Minute, true, 0},
		{0, time.Minute, false, 0},
		{0, time.Minute, true, 1},
		{-1, time.Millisecond, true, 2},
	} {
		faults := ratelimit.Faults("RATE_LIMIT", tc.limit, tc.window, tc.production)
		if len(faults) != tc.want {
			t.Errorf("%+v: %v", tc, faults)
		}
	}
}
