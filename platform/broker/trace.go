package broker

import (
	"context"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	semconv "go.opentelemetry.io/otel/semconv/v1.41.0"
	"go.opentelemetry.io/otel/trace"
)

// traced starts a span for every call of handle, by OpenTelemetry's conventions for messaging. A
// batch has many causes, so the span links to each trace that a message names in its property
// traceparent. If all messages name the same trace, the span also continues it.
func traced(
	provider trace.TracerProvider,
	cfg ConsumerConfig,
	handle func(context.Context, []Received) error,
) func(context.Context, []Received) error {
	tracer := provider.Tracer("tributary/platform/broker")
	name := "process " + cfg.Topic
	attributes := []attribute.KeyValue{
		semconv.MessagingSystemPulsar,
		semconv.MessagingOperationTypeProcess,
		semconv.MessagingOperationName("process"),
		semconv.MessagingDestinationName(cfg.Topic),
		semconv.MessagingDestinationSubscriptionName(cfg.Subscription),
	}

	return func(ctx context.Context, batch []Received) error {
		links, same := linksTo(ctx, batch)
		if same && len(links) > 0 {
			ctx = trace.ContextWithRemoteSpanContext(ctx, links[0].SpanContext)
		}

		ctx, span := tracer.Start(
			ctx,
			name,
			trace.WithSpanKind(trace.SpanKindConsumer),
			trace.WithLinks(links...),
			trace.WithAttributes(attributes...),
			trace.WithAttributes(semconv.MessagingBatchMessageCount(len(batch))),
		)
		defer span.End()

		err := handle(ctx, batch)
		if err != nil {
			span.RecordError(err)
			span.SetStatus(codes.Error, "the batch is held")
		}

		return err
	}
}

// linksTo returns a link to each span context that messages of the batch name, with the id of the
// first message that names it. same reports whether all messages name the same context.
func linksTo(ctx context.Context, batch []Received) (links []trace.Link, same bool) {
	var w3c propagation.TraceContext

	met := map[string]bool{}
	for _, m := range batch {
		named := m.Properties["traceparent"]
		if met[named] {
			continue
		}

		met[named] = true

		if from := trace.SpanContextFromContext(
			w3c.Extract(ctx, propagation.MapCarrier(m.Properties)),
		); from.IsRemote() {
			links = append(
				links,
				trace.Link{
					SpanContext: from,
					Attributes:  []attribute.KeyValue{semconv.MessagingMessageID(m.ID())},
				},
			)
		}
	}

	return links, len(met) == 1
}
