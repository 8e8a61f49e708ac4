package telemetry

import (
	"context"

	"go.opentelemetry.io/otel/propagation"
	oteltrace "go.opentelemetry.io/otel/trace"
)

// Propagator carries W3C traceparent and nothing else: a caller's tracestate and baggage are not
// passed on.
type Propagator struct{ w3c propagation.TraceContext }

var _ propagation.TextMapPropagator = Propagator{}

// Inject writes the traceparent of ctx.
func (p Propagator) Inject(ctx context.Context, carrier propagation.TextMapCarrier) {
	p.w3c.Inject(withoutState(ctx), carrier)
}

// Extract returns ctx with the traceparent of the carrier.
func (p Propagator) Extract(
	ctx context.Context,
	carrier propagation.TextMapCarrier,
) context.Context {
	return p.w3c.Extract(ctx, onlyParent{carrier})
}

// Fields returns the names of the carried headers.
func (Propagator) Fields() []string { return []string{traceparent} }

const traceparent = "traceparent"

func withoutState(ctx context.Context) context.Context {
	span := oteltrace.SpanContextFromContext(ctx)
	if span.TraceState().Len() == 0 {
		return ctx
	}

	return oteltrace.ContextWithSpanContext(ctx, span.WithTraceState(oteltrace.TraceState{}))
}

// onlyParent hides everything but traceparent, so that nothing else is parsed.
type onlyParent struct{ propagation.TextMapCarrier }

func (c onlyParent) Get(key string) string {
	if key != traceparent {
		return ""
	}

	return c.TextMapCarrier.Get(key)
}
