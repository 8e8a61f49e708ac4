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

// Check asks one dependency whether it answers. Needed says that without it the service cannot do
// its own job: the health route then says so too; /readyz tells of every dependency.
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
}

// AdviceError is what a Probe returns where people have to act: /readyz tells it to them.
type AdviceError string

func (a AdviceError) Error() string { return string(a) }

const probeTimeout = time.Second

// NewHealth makes the health of the service out of its dependencies.
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
	states, down, _ := h.probe(r.Context())
	if h.draining.Load() {
		WriteError(w, r, fault.New(fault.Unavailable, "shutting_down", "This replica is stopping."))
		return
	}

	if len(down) > 0 {
		WriteError(w, r, h.away(down))
		return
	}

	answer(w, healthAnswer{Status: "ready", Service: h.service, Checks: states})
}

// serving is 200 as long as the service can do its own job, "degraded" when something else is away.
func (h *Health) serving(w http.ResponseWriter, r *http.Request) {
	states, down, needed := h.probe(r.Context())
	if needed {
		WriteError(w, r, h.away(down))
		return
	}

	status := "ok"
	if len(down) > 0 {
		status = "degraded"
	}

	answer(w, healthAnswer{Status: status, Service: h.service, Checks: states})
}

// probe asks all dependencies. down says which of them are away, needed whether the service needs
// one of those.
func (h *Health) probe(
	ctx context.Context,
) (states map[string]string, down []fault.Field, needed bool) {
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

	states = make(map[string]string, len(h.checks))
	for i, c := range h.checks {
		states[c.Name] = "up"

		if errs[i] == nil {
			continue
		}

		states[c.Name], needed = "down", needed || c.Needed

		message := "does not answer"
		if advice := AdviceError(""); errors.As(errs[i], &advice) {
			message = string(advice)
		}

		down = append(down, fault.Field{Field: c.Name, Code: "down", Message: message})
	}

	h.note(ctx, errors.Join(errs...))

	return states, down, needed
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
