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

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"
	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/propagation"

	"tributary/platform/fault"
)

type contextKey int

const (
	requestIDKey contextKey = iota
	loggerKey
	callerKey
	connectionKey
)

const (
	requestIDHeader = "X-Request-ID"
	readyPath       = "/readyz"
)

// RequestID returns the id of the current request, or "" outside of one.
func RequestID(ctx context.Context) string {
	id, _ := ctx.Value(requestIDKey).(string)
	return id
}

// requestID accepts X-Request-ID if it is 1 to 128 printable ASCII characters, creates an id
// otherwise, and continues the caller's trace.
func requestID(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := r.Header.Get(requestIDHeader)
		if !plain(id) {
			id = uuid.Must(uuid.NewV7()).String()
		}

		w.Header().Set(requestIDHeader, id)
		ctx := otel.GetTextMapPropagator().Extract(r.Context(), propagation.HeaderCarrier(r.Header))
		next.ServeHTTP(w, r.WithContext(context.WithValue(ctx, requestIDKey, id)))
	})
}

func plain(id string) bool {
	if id == "" || len(id) > 128 {
		return false
	}

	for i := range len(id) {
		if id[i] <= ' ' || id[i] > '~' {
			return false
		}
	}

	return true
}

// observe counts and times every request by route pattern, and logs it: failures of the service as
// warnings, the rest as debug messages.
func observe(cfg Config) func(http.Handler) http.Handler {
	seconds := prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "http_request_duration_seconds", Help: "Time to answer, by route pattern and status.",
		Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
	}, []string{"method", "route", "status"})
	cfg.Metrics.MustRegister(seconds)

	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			start := cfg.Now()
			ww := middleware.NewWrapResponseWriter(w, r.ProtoMajor)

			r = r.WithContext(context.WithValue(r.Context(), loggerKey, cfg.Logger))
			defer func() { //nolint:contextcheck // r holds the request's own context
				status := ww.Status()
				elapsed := cfg.Now().Sub(start)

				route := chi.RouteContext(r.Context()).RoutePattern()
				if route == "" {
					route = "unmatched"
				}

				if status >= http.StatusInternalServerError && left(r.Context()) {
					status = statusLeft
				}

				seconds.WithLabelValues(
					method(r.Method),
					route,
					strconv.Itoa(status),
				).Observe(elapsed.Seconds())

				level := slog.LevelDebug
				if status >= http.StatusInternalServerError && route != readyPath {
					// changes of readiness are logged by Health
					level = slog.LevelWarn
				}

				if !cfg.Logger.Enabled(r.Context(), level) {
					return
				}

				cfg.Logger.LogAttrs(
					r.Context(),
					level,
					"request answered",
					slog.String("method", method(r.Method)),
					slog.String("route", route),
					slog.Int("status", status),
					slog.String("elapsed", elapsed.String()),
					slog.String("request_id", RequestID(r.Context())),
				)
			}()
			next.ServeHTTP(ww, r)
		})
	}
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

func recoverPanic(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() { //nolint:contextcheck // r holds the request's own context
			cause := recover()
			if cause == nil {
				return
			}

			if err, ok := cause.(error); ok && errors.Is(err, http.ErrAbortHandler) {
				//nolint:forbidigo // net/http's own way to abort a response; not ours to swallow
				panic(cause)
			}

			logger(r.Context()).ErrorContext(
				r.Context(),
				"handler panicked",
				"panic",
				panicText(cause),
				"stack",
				string(debug.Stack()),
				"request_id",
				RequestID(r.Context()),
			)
			WriteError(w, r, errors.New("handler panicked"))
		}()
		next.ServeHTTP(w, r)
	})
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

func logger(ctx context.Context) *slog.Logger {
	if l, ok := ctx.Value(loggerKey).(*slog.Logger); ok {
		return l
	}

	return slog.New(slog.DiscardHandler)
}

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
