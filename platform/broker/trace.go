package broker

import (
	"context"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	semconv "go.opentelemetry.io/otel/semconv/v1.41.0"
	"go.opentelemetry.io/otel/trace"
)

// traced makes a span of every call of handle, by OpenTelemetry's conventions for messaging: a batch has many causes, so the span has a
// link to each trace that its messages name in the property traceparent. When all of them name the same, the span also continues that trace.
func traced(provider trace.TracerProvider, cfg ConsumerConfig, handle func(context.Context, []Received) error) func(context.Context, []Received) error {
	tracer := provider.Tracer("tributary/platform/broker")
	name := "process " + cfg.Topic
	attributes := []attribute.KeyValue{
		semconv.MessagingSystemPulsar, semconv.MessagingOperationTypeProcess, semconv.MessagingOperationName("process"),
		semconv.MessagingDestinationName(cfg.Topic), semconv.MessagingDestinationSubscriptionName(cfg.Subscription),
	}
	return func(ctx context.Context, batch []Received) error {
		links := linksTo(ctx, batch)
		if len(links) == 1 && sameTrace(batch) {
			ctx = trace.ContextWithRemoteSpanContext(ctx, links[0].SpanContext)
		}
		ctx, span := tracer.Start(ctx, name, trace.WithSpanKind(trace.SpanKindConsumer), trace.WithLinks(links...),
			trace.WithAttributes(attributes...), trace.WithAttributes(semconv.MessagingBatchMessageCount(len(batch))))
		defer span.End()
		err := handle(ctx, batch)
		if err != nil {
			span.RecordError(err)
			span.SetStatus(codes.Error, "the batch is held")
		}
		return err
	}
}

// linksTo gives a link to each context that messages of the batch name, with the id of the first message that does.
func linksTo(ctx context.Context, batch []Received) []trace.Link {
	var w3c propagation.TraceContext
	var links []trace.Link
	type origin struct {
		trace trace.TraceID
		span  trace.SpanID
	}
	met := map[origin]bool{}
	for _, m := range batch {
		from := trace.SpanContextFromContext(w3c.Extract(ctx, propagation.MapCarrier(m.Properties)))
		at := origin{from.TraceID(), from.SpanID()}
		if !from.IsRemote() || met[at] {
			continue
		}
		met[at] = true
		links = append(links, trace.Link{SpanContext: from, Attributes: []attribute.KeyValue{semconv.MessagingMessageID(m.ID)}})
	}
	return links
}

func sameTrace(batch []Received) bool {
	for _, m := range batch {
		if m.Properties["traceparent"] != batch[0].Properties["traceparent"] {
			return false
		}
	}
	return true
}
