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

// Check asks one dependency whether it answers. Without a Needed one the service cannot do its own
// job, and its health route says so; /readyz reports every dependency.
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
	last     atomic.Pointer[string] // what the last probe found, so that only changes are logged

	mu     sync.Mutex
	latest *finding
}

// finding is what one round of probes found, shared by all who ask while it runs or is fresh.
type finding struct {
	done   chan struct{} // closed when the rest is set
	at     time.Time
	states map[string]string
	down   []fault.Field
	needed bool
}

// AdviceError is what a Probe returns where people have to act: /readyz shows it to them. Any other
// error with a method Advice is shown by what that returns.
type AdviceError string

func (a AdviceError) Error() string { return string(a) }

// Advice is what /readyz shows.
func (a AdviceError) Advice() string { return string(a) }

const (
	probeTimeout = time.Second
	probeFresh   = time.Second // a finding is used again for so long
)

// NewHealth returns the health of a service with these dependencies.
func NewHealth(service string, checks ...Check) *Health {
	return &Health{service: service, checks: checks}
}

// Drain turns readiness off, for a graceful stop: load balancers send no more.
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

// ready is 503 as long as any dependency is away or the service is stopping.
func (h *Health) ready(w http.ResponseWriter, r *http.Request) {
	if h.draining.Load() {
		WriteError(w, r, fault.New(fault.Unavailable, "shutting_down", "This replica is stopping."))
		return
	}

	found := h.find(r.Context())
	if len(found.down) > 0 {
		WriteError(w, r, h.away(found.down))
		return
	}

	answer(w, healthAnswer{Status: "ready", Service: h.service, Checks: found.states})
}

// serving is 200 as long as the service can do its own job, "degraded" when something else is away.
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

// find returns the fresh finding, or probes: once for all who ask at the same time, and to the end,
// whoever of them leaves.
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

// usable reports whether the finding is being made or is fresh.
func (f *finding) usable() bool {
	select {
	case <-f.done:
		return time.Since(f.at) < probeFresh
	default:
		return true
	}
}

// probe asks all dependencies.
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

		found.down = append(found.down, fault.Field{Field: c.Name, Code: "down", Message: message})
	}

	h.note(ctx, errors.Join(errs...))
}

// note logs a change of readiness once, with its cause, and not every probe.
func (h *Health) note(ctx context.Context, cause error) {
	now := "ready"
	if cause != nil {
		now = cause.Error()
	}

	before := h.last.Swap(&now)
	switch {
	case before != nil && *before == now:
	case cause != nil:
		logger(ctx).WarnContext(ctx, "not ready: a dependency is away", "error", cause)
	default:
		logger(ctx).InfoContext(ctx, "ready")
	}
}

func (h *Health) away(down []fault.Field) error {
	return fault.New(
		fault.Unavailable,
		"not_ready",
		"A dependency of "+h.service+" is away; the service goes on by itself when it is back.",
		down...)
}

func answer(w http.ResponseWriter, v healthAnswer) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	_ = json.MarshalWrite(w, v, json.Deterministic(true))
}
