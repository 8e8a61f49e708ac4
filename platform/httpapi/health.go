package httpapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-json-experiment/json"

	"tributary/platform/fault"
	"tributary/platform/version"
)

// Check probes a dependency. Without a Needed one the service cannot do its own work, and its
// health route reports it. /readyz reports every dependency.
type Check struct {
	Name   string
	Needed bool
	Probe  func(context.Context) error
}

// Health answers /livez, /readyz and the health route. It is safe for concurrent use.
type Health struct {
	service  string
	checks   []Check
	draining atomic.Bool
	last     atomic.Pointer[string] // result of the last probe, so that only changes are logged

	mu     sync.Mutex
	latest *finding
}

// finding is the result of one round of probes, shared by all requests that arrive while it runs or
// is fresh.
type finding struct {
	done   chan struct{} // closed when the rest is set
	at     time.Time
	states map[string]string
	down   []fault.Field
	needed bool
}

// AdviceError is returned by a Probe if an operator must act: /readyz shows its text. Any other
// error with a method Advice is shown by what that returns.
type AdviceError string

func (a AdviceError) Error() string { return string(a) }

// Advice returns the text that /readyz shows.
func (a AdviceError) Advice() string { return string(a) }

const (
	probeTimeout = time.Second
	probeFresh   = time.Second // how long a finding is used again
)

// NewHealth returns the health of a service with these dependencies.
func NewHealth(service string, checks ...Check) *Health {
	return &Health{service: service, checks: checks}
}

// Drain switches readiness off for a graceful stop, so that load balancers send no more requests.
func (h *Health) Drain() { h.draining.Store(true) }

type healthAnswer struct {
	Status  string            `json:"status"`
	Service string            `json:"service"`
	Version string            `json:"version,omitempty"`
	Checks  map[string]string `json:"checks,omitempty"`
}

func (h *Health) live(w http.ResponseWriter, _ *http.Request) {
	answer(w, healthAnswer{Status: "ok", Service: h.service, Version: version.Number})
}

// ready answers 503 while any dependency is unavailable or the service is stopping.
func (h *Health) ready(w http.ResponseWriter, r *http.Request) {
	if h.draining.Load() {
		WriteError(w, r, fault.ErrShuttingDown.New("This replica is stopping. Retry: another replica will answer."))

		return
	}

	found := h.find(r.Context())
	if len(found.down) > 0 {
		WriteError(w, r, h.away(found.down))
		return
	}

	answer(w, healthAnswer{Status: "ready", Service: h.service, Checks: found.states})
}

// serving answers 200 while the service can do its own work, with status "degraded" if another
// dependency is unavailable.
func (h *Health) serving(w http.ResponseWriter, r *http.Request) {
	found := h.find(r.Context())
	if found.needed {
		WriteError(w, r, h.away(found.down))
		return
	}

	status := "ok"
	if len(found.down) > 0 {
		status = "degraded"
	}

	answer(w, healthAnswer{Status: status, Service: h.service, Checks: found.states})
}

// find returns the fresh finding or starts a probe. Concurrent callers share the probe, which
// completes even if they leave.
func (h *Health) find(ctx context.Context) *finding {
	h.mu.Lock()
	found := h.latest

	if found != nil && found.usable() {
		h.mu.Unlock()
		<-found.done // within probeTimeout

		return found
	}

	found = &finding{done: make(chan struct{})}
	h.latest = found
	h.mu.Unlock()

	defer close(found.done)

	h.probe(context.WithoutCancel(ctx), found)
	found.at = time.Now() //nolint:forbidigo // how long ago, by the monotonic clock

	return found
}

// usable reports whether the finding is in progress or fresh.
func (f *finding) usable() bool {
	select {
	case <-f.done:
		return time.Since(f.at) < probeFresh
	default:
		return true
	}
}

func (h *Health) probe(ctx context.Context, found *finding) {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()

	errs := make([]error, len(h.checks))

	var wg sync.WaitGroup
	for i, c := range h.checks {
		wg.Go(func() {
			if err := c.Probe(ctx); err != nil {
				errs[i] = fmt.Errorf("%s: %w", c.Name, err)
			}
		})
	}

	wg.Wait()

	found.states = make(map[string]string, len(h.checks))
	for i, c := range h.checks {
		found.states[c.Name] = "up"

		if errs[i] == nil {
			continue
		}

		found.states[c.Name] = "down"
		found.needed = found.needed || c.Needed

		message := "does not answer"

		var advising interface {
			error
			Advice() string
		}

		if errors.As(errs[i], &advising) {
			message = advising.Advice()
		}

		found.down = append(found.down, fault.Field{Field: c.Name, Code: errDown, Message: message})
	}

	h.note(ctx, errors.Join(errs...))
}

// note logs a change of readiness with its cause, once instead of at every probe.
func (h *Health) note(ctx context.Context, cause error) {
	now := "ready"
	if cause != nil {
		now = cause.Error()
	}

	before := h.last.Swap(&now)
	switch {
	case before != nil && *before == now:
	case cause != nil:
		logger(ctx).WarnContext(ctx, "not ready: a dependency is unavailable", "error", cause)
	default:
		logger(ctx).InfoContext(ctx, "ready")
	}
}

func (h *Health) away(down []fault.Field) error {
	return errNotReady.New("A dependency of "+h.service+" is unavailable; the service recovers by itself.",
		down...)
}

func answer(w http.ResponseWriter, v healthAnswer) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	_ = json.MarshalWrite(w, v, json.Deterministic(true))
}
