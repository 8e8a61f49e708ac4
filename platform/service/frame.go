package service

import (
	"context"
	"log/slog"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"tributary/platform/auth"
	"tributary/platform/broker"
	"tributary/platform/httpapi"
	"tributary/platform/idempotency"
	"tributary/platform/process"
)

// Frame is what every service stands on. Its parts start in this order and stop in reverse: what
// CloseLast added, the broker client, the service's own parts in the order in which they were
// added, the HTTP server.
type Frame struct {
	Logger  *slog.Logger
	Metrics *prometheus.Registry
	Broker  *broker.Client
	Trace   bool // spans are exported

	about    About
	settings Settings
	verifier *auth.Verifier
	checks   []httpapi.Check
	last     []process.Part // to stop
	parts    []process.Part
	server   []process.Part
}

// connect prepares broker and tokens. It waits for neither.
func (f *Frame) connect(ctx context.Context) (err error) {
	deps := auth.Dependencies{Now: f.Now, Logger: f.Logger}
	if f.verifier, err = auth.NewOptional(ctx, f.settings.Auth, deps); err != nil {
		return err
	}

	f.Need("token_keys", f.verifier.Ready)
	f.Broker, err = broker.Dial(f.settings.Broker, f.Logger, f.Metrics)

	return err
}

// Now returns the current time: the clock of the program.
func (*Frame) Now() time.Time {
	return time.Now() //nolint:forbidigo // the frame of the program owns the clock
}

// CloseLast adds what is closed when all other parts have stopped, such as a pool of connections.
func (f *Frame) CloseLast(name string, closeIt func()) {
	f.last = append(f.last, process.Closer(name, closeIt))
}

// Need adds a dependency without which the service cannot do its own work.
func (f *Frame) Need(name string, probe func(context.Context) error) {
	f.checks = append(f.checks, httpapi.Check{Name: name, Needed: true, Probe: probe})
}

// Check adds a dependency whose absence only degrades the service.
func (f *Frame) Check(name string, probe func(context.Context) error) {
	f.checks = append(f.checks, httpapi.Check{Name: name, Probe: probe})
}

// Part adds a part that runs until the process stops.
func (f *Frame) Part(name string, run func(context.Context) error) {
	f.parts = append(f.parts, process.Part{Name: name, Run: run})
}

// Every adds a part that calls do at once and then at every interval.
func (f *Frame) Every(name string, interval time.Duration, do func(context.Context)) {
	f.parts = append(f.parts, process.Every(name, interval, do))
}

// forgetEvery is the interval between deletions of old idempotency keys.
const forgetEvery = 10 * time.Minute

// ForgetKeys adds the deletion of old idempotency keys.
func (f *Frame) ForgetKeys(keys idempotency.Keys) {
	forgetter := &idempotency.Forgetter{Keys: keys, Now: f.Now, Logger: f.Logger}
	f.Every("forgetter of old keys", forgetEvery, forgetter.Forget)
}

// serve adds the HTTP server with the registered operations.
func (f *Frame) serve(register Routes) {
	s := f.settings
	health := httpapi.NewHealth(f.about.Name, f.checks...)
	api := f.about.API(HTTP{
		Logger:       f.Logger,
		Metrics:      f.Metrics,
		Health:       health,
		Verifier:     f.verifier,
		Limits:       auth.NewLimits(s.RateLimit, s.RateWindow, f.Now),
		Open:         !s.Auth.Required,
		MetricsApart: s.MetricsAddr != "",
		CursorSecret: s.CursorSecret,
	})
	register(api.Huma)

	server := &httpapi.Server{
		Addr:    s.Address,
		Handler: httpapi.CORS(s.CORS.Origins, api.Router),
		Health:  health,
		Logger:  f.Logger,
	}
	f.server = server.Parts(s.MetricsAddr, f.Metrics)
}

// all returns the parts in the order of starting.
func (f *Frame) all() []process.Part {
	parts := append(slices.Clip(f.last), process.Closer("broker client", f.Broker.Close))
	parts = append(parts, f.parts...)

	return append(parts, f.server...)
}
