package rest

import (
	"strconv"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"tributary/platform/auth"
	"tributary/platform/fault"
	"tributary/platform/httpapi"
)

// Limiter bounds the requests of each caller: at most limit at once, and in the long run limit a
// window (the generic cell rate algorithm). It forgets callers that are idle. It is safe for
// concurrent use; replicas count apart.
type Limiter struct {
	limit    int
	window   time.Duration
	interval time.Duration // between two requests in the long run
	now      func() time.Time

	mu      sync.Mutex
	full    map[string]time.Time // when a caller's allowance is whole again
	sweepAt int
}

const minSweep = 1024

// NewLimiter makes a limiter; limit and window must be positive.
func NewLimiter(limit int, window time.Duration, now func() time.Time) *Limiter {
	return &Limiter{
		limit:    limit,
		window:   window,
		interval: window / time.Duration(limit),
		now:      now,
		full:     make(map[string]time.Time),
		sweepAt:  minSweep,
	}
}

// allowance is what a caller is told.
type allowance struct {
	remaining int
	reset     time.Duration // until the allowance is whole again
	wait      time.Duration // until the next request is let through; 0: this one is
}

func (l *Limiter) take(caller string) allowance {
	now := l.now()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.sweep(now)

	full := l.full[caller]
	if full.Before(now) {
		full = now
	}

	next := full.Add(l.interval)
	if over := next.Sub(now) - l.window; over > 0 {
		return allowance{reset: full.Sub(now), wait: over}
	}

	l.full[caller] = next
	used := next.Sub(now)

	return allowance{remaining: int((l.window - used) / l.interval), reset: used}
}

// sweep forgets idle callers whenever their number has doubled.
func (l *Limiter) sweep(now time.Time) {
	if len(l.full) < l.sweepAt {
		return
	}

	for caller, full := range l.full {
		if !full.After(now) {
			delete(l.full, caller)
		}
	}

	l.sweepAt = max(minSweep, 2*len(l.full))
}

// RateLimit is middleware behind auth.Middleware: callers are told apart by their user id, never by
// an address that a proxy or the caller itself has written. It sets RateLimit-* on every answer;
// one request too many is a 429 with the right Retry-After.
func RateLimit(l *Limiter) func(huma.Context, func(huma.Context)) {
	policy := strconv.Itoa(l.limit) + ";w=" + seconds(l.window)

	return func(ctx huma.Context, next func(huma.Context)) {
		identity, known := auth.From(ctx.Context())
		if !known {
			next(ctx)
			return
		}

		got := l.take(identity.UserID)
		ctx.SetHeader("RateLimit-Limit", strconv.Itoa(l.limit))
		ctx.SetHeader("RateLimit-Remaining", strconv.Itoa(got.remaining))
		ctx.SetHeader("RateLimit-Reset", seconds(got.reset))
		ctx.SetHeader("RateLimit-Policy", policy)

		if got.wait > 0 {
			err := fault.New(
				fault.Exhausted,
				"rate_limited",
				"You ask too often; try again after Retry-After.",
			)
			err.RetryAfter = got.wait
			httpapi.WriteHumaError(ctx, err)

			return
		}

		next(ctx)
	}
}

// seconds rounds up: whoever waits so long has waited long enough.
func seconds(d time.Duration) string {
	return strconv.FormatInt(int64((d+time.Second-1)/time.Second), 10)
}
