package httpapi

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime"
	"runtime/debug"
	"strconv"
	"sync"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/prometheus/client_golang/prometheus"

	"tributary/platform/fault"
)

const readyPath = "/readyz"

// observer counts and times every request by route pattern, and logs it: failures of the service as
// warnings, the rest as debug messages.
type observer struct {
	now     func() time.Time
	logger  *slog.Logger
	seconds *prometheus.HistogramVec

	mu     sync.RWMutex
	series map[answered]prometheus.Observer // of seconds; finding them there takes longer
}

type answered struct {
	method string
	route  string
	status int
}

func newObserver(cfg Config) *observer {
	seconds := prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "http_request_duration_seconds", Help: "Time to answer, by route pattern and status.",
		Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
	}, []string{"method", "route", "status"})
	cfg.Metrics.MustRegister(seconds)

	return &observer{
		now:     cfg.Now,
		logger:  cfg.Logger,
		seconds: seconds,
		series:  map[answered]prometheus.Observer{},
	}
}

// serve lets next answer. A panic of it becomes an answer, too.
func (o *observer) serve(e *exchange, r *http.Request, next http.Handler) {
	defer o.observe(e, r, o.now())
	defer recoverPanic(e, r)
	next.ServeHTTP(e, r)
}

func (o *observer) observe(e *exchange, r *http.Request, start time.Time) {
	elapsed := o.now().Sub(start)
	about := answered{
		method: method(r.Method),
		route:  chi.RouteContext(r.Context()).RoutePattern(),
		status: e.status,
	}

	if about.route == "" {
		about.route = "unmatched"
	}

	if about.status >= http.StatusInternalServerError && left(r.Context()) {
		about.status = statusLeft
	}

	o.of(about).Observe(elapsed.Seconds())

	level := slog.LevelDebug
	if about.status >= http.StatusInternalServerError && about.route != readyPath {
		// changes of readiness are logged by Health
		level = slog.LevelWarn
	}

	if !o.logger.Enabled(r.Context(), level) {
		return
	}

	o.logger.LogAttrs(
		r.Context(),
		level,
		"request answered",
		slog.String("method", about.method),
		slog.String("route", about.route),
		slog.Int("status", about.status),
		slog.String("elapsed", elapsed.String()),
		slog.String("request_id", e.request),
	)
}

// of returns the series of requests that were answered alike.
func (o *observer) of(about answered) prometheus.Observer {
	o.mu.RLock()
	series := o.series[about]
	o.mu.RUnlock()

	if series != nil {
		return series
	}

	o.mu.Lock()
	defer o.mu.Unlock()

	series = o.seconds.WithLabelValues(about.method, about.route, strconv.Itoa(about.status))
	o.series[about] = series

	return series
}

// method maps unknown methods to one name, so that they create no metric series.
func method(m string) string {
	switch m {
	case http.MethodGet,
		http.MethodPost,
		http.MethodPut,
		http.MethodPatch,
		http.MethodDelete,
		http.MethodHead,
		http.MethodOptions:
		return m
	}

	return "other"
}

// recoverPanic is deferred. It answers a panic with a problem, and logs it.
func recoverPanic(e *exchange, r *http.Request) {
	cause := recover()
	if cause == nil {
		return
	}

	if err, ok := cause.(error); ok && errors.Is(err, http.ErrAbortHandler) {
		//nolint:forbidigo // net/http's own way to abort a response; not ours to swallow
		panic(cause)
	}

	e.logger.ErrorContext(
		r.Context(),
		"handler panicked",
		"panic",
		panicText(cause),
		"stack",
		string(debug.Stack()),
		"request_id",
		e.request,
	)
	WriteError(e, r, errors.New("handler panicked"))
}

// panicText describes a panic without its value, which may contain the caller's input. Only errors
// of the runtime are shown with their text.
func panicText(cause any) string {
	var bug runtime.Error
	if err, ok := cause.(error); ok && errors.As(err, &bug) {
		return bug.Error()
	}

	return fmt.Sprintf("value of type %T", cause)
}

// logFailure logs the cause of a 5xx, which the caller does not see.
func logFailure(ctx context.Context, err error) {
	f, ok := fault.As(err)
	switch {
	case left(ctx):
		logger(ctx).DebugContext(ctx, "the caller left", "error", err, "request_id", RequestID(ctx))
	case !ok:
		logger(ctx).ErrorContext(ctx, "request failed", "error", err, "request_id", RequestID(ctx))
	case f.Cause != nil && status(f.Kind()) >= http.StatusInternalServerError:
		logger(ctx).WarnContext(
			ctx,
			"request refused",
			"code",
			f.Code(),
			"error",
			err,
			"request_id",
			RequestID(ctx),
		)
	}
}

// statusLeft is the status that proxies log for a caller who left before the answer. It is never
// sent.
const statusLeft = 499

func notFound(w http.ResponseWriter, r *http.Request) {
	WriteError(
		w,
		r,
		errRouteNotFound.New("This path does not exist; /docs lists the existing ones."),
	)
}

func methodNotAllowed(routes chi.Routes) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		for _, m := range []string{
			http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete,
		} {
			if routes.Match(chi.NewRouteContext(), m, r.URL.Path) {
				w.Header().Add("Allow", m)
			}
		}

		WriteError(
			w,
			r,
			errMethodNotAllowed.New("This path does not support this method; Allow lists those that it supports."),
		)
	}
}
