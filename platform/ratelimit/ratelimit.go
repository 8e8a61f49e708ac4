// Package ratelimit bounds the rate of requests of each caller.
package ratelimit

import (
	"strconv"
	"sync"
	"time"

	"tributary/platform/fault"
)

// Faults returns what is wrong with a limit of requests in a window. name is the name of the
// setting.
func Faults(name string, limit int, window time.Duration, production bool) []string {
	var faults []string
	if limit < 0 {
		faults = append(faults, name+" must not be negative")
	}

	if window < time.Second {
		faults = append(faults, "RATE_LIMIT_WINDOW must be at least 1s")
	}

	if production && limit == 0 {
		faults = append(faults, name+"=0 is refused in production: callers must be limited")
	}

	return faults
}

// Limiter bounds the requests of each caller: at most limit at once, and in the long run limit a
// window (the generic cell rate algorithm). It forgets idle callers. It is safe for concurrent use;
// replicas count separately.
type Limiter struct {
	limit    int
	window   time.Duration
	interval time.Duration // between two requests in the long run
	now      func() time.Time

	mu      sync.Mutex
	full    map[string]time.Time // when a caller's full allowance is restored
	sweepAt int
}

const minSweep = 1024

// New returns a limiter, or nil, which limits nothing, for a limit of 0. window must be positive.
func New(limit int, window time.Duration, now func() time.Time) *Limiter {
	if limit == 0 {
		return nil
	}

	return &Limiter{
		limit:    limit,
		window:   window,
		interval: window / time.Duration(limit),
		now:      now,
		full:     make(map[string]time.Time),
		sweepAt:  minSweep,
	}
}

// Allowance is what remains for a caller.
type Allowance struct {
	Remaining int
	Reset     time.Duration // until the full allowance is restored
	Wait      time.Duration // until the next request is accepted; 0 if this one is
}

// Err returns fault.ErrRateLimited if the request exceeds the limit, and nil otherwise.
func (a Allowance) Err() error {
	if a.Wait == 0 {
		return nil
	}

	return fault.ErrRateLimited.
		New("Too many requests. Retry after the time in Retry-After.").
		RetryIn(a.Wait)
}

// Take uses up one request of the caller.
func (l *Limiter) Take(caller string) Allowance {
	if l == nil {
		return Allowance{}
	}

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
		return Allowance{Reset: full.Sub(now), Wait: over}
	}

	l.full[caller] = next
	used := next.Sub(now)

	return Allowance{Remaining: int((l.window - used) / l.interval), Reset: used}
}

// sweep forgets idle callers whenever the number of callers has doubled.
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

// Headers calls set with the RateLimit-* headers of an answer.
func (l *Limiter) Headers(a Allowance, set func(name, value string)) {
	if l == nil {
		return
	}

	set("RateLimit-Limit", strconv.Itoa(l.limit))
	set("RateLimit-Remaining", strconv.Itoa(a.Remaining))
	set("RateLimit-Reset", seconds(a.Reset))
	set("RateLimit-Policy", strconv.Itoa(l.limit)+";w="+seconds(l.window))
}

// seconds rounds up, so that the wait is always long enough.
func seconds(d time.Duration) string {
	return strconv.FormatInt(int64((d+time.Second-1)/time.Second), 10)
}
