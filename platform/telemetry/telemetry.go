// Package telemetry creates the logger, metrics registry and tracing of a service, the same for
// all.
package telemetry

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	"go.opentelemetry.io/otel/sdk/trace"
	semconv "go.opentelemetry.io/otel/semconv/v1.41.0"
)

// Logger returns a logger that writes JSON lines to w, each with the service's name. level is
// debug, info, warn or error; anything else is info. Errors are written as Text returns them.
func Logger(w io.Writer, service, level string) *slog.Logger {
	var l slog.Level
	if err := l.UnmarshalText([]byte(level)); err != nil {
		l = slog.LevelInfo
	}

	options := &slog.HandlerOptions{Level: l, ReplaceAttr: withoutInput}

	return slog.New(slog.NewJSONHandler(w, options)).With("service", service)
}

// Metrics returns a registry with the metrics of the Go runtime and of the process.
func Metrics() *prometheus.Registry {
	r := prometheus.NewRegistry()
	r.MustRegister(
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)

	return r
}

// Tracing installs the propagator of W3C traceparent, and an exporter if endpoint (an OTLP/HTTP
// URL) is not empty. OpenTelemetry's errors are logged. The returned function flushes and stops the
// exporter.
func Tracing(
	ctx context.Context,
	service, endpoint string,
	logger *slog.Logger,
) (stop func(context.Context) error, err error) {
	otel.SetTextMapPropagator(Propagator{})
	otel.SetLogger(logr.Discard()) // its default logger prints to standard error
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) {
		logger.Warn("tracing failed", "error", err)
	}))

	if endpoint == "" {
		return func(context.Context) error { return nil }, nil
	}

	exporter, err := otlptracehttp.New(ctx, otlptracehttp.WithEndpointURL(endpoint))
	if err != nil {
		return nil, fmt.Errorf("trace exporter: %w", err)
	}

	provider := Provider(service, trace.NewBatchSpanProcessor(exporter))
	otel.SetTracerProvider(provider)

	return provider.Shutdown, nil
}

// linksPerSpan is more than a batch of messages has; OpenTelemetry's default would drop most links.
const linksPerSpan = 1000

// Provider returns a provider that creates the service's spans and passes them to the processor.
// OTEL_SPAN_LINK_COUNT_LIMIT takes precedence.
func Provider(service string, to trace.SpanProcessor) *trace.TracerProvider {
	limits := trace.NewSpanLimits()
	if os.Getenv("OTEL_SPAN_LINK_COUNT_LIMIT") == "" {
		limits.LinkCountLimit = linksPerSpan
	}

	return trace.NewTracerProvider(
		trace.WithSpanProcessor(to),
		trace.WithRawSpanLimits(limits),
		trace.WithResource(resource.NewSchemaless(semconv.ServiceName(service))),
	)
}
