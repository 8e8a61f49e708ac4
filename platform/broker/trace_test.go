package broker_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/codes"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"tributary/platform/broker"
	"tributary/platform/brokertest"
	"tributary/platform/telemetry"
)

const traceparent = "00-0af7651916cd43dd8448eb211c80319c-%016x-01"

// Messages published in traces are handled in spans that link to them, over a real broker.
func TestTracesGoThroughTheBroker(t *testing.T) {
	t.Parallel()
	exporter := tracetest.NewInMemoryExporter()
	// only this test's consumer uses it
	otel.SetTracerProvider(telemetry.Provider("test", sdk.NewSimpleSpanProcessor(exporter)))
	cfg := brokertest.Namespace(t, plan(1, "traced"))
	client := brokertest.Client(t, cfg)
	p := publisher(t, cfg, client)

	const messages = 300 // more than OpenTelemetry's default limit of links
	publish(t, p, messages, func(n int) string { return fmt.Sprintf(traceparent, n+1) })
	failing := errors.New("not now")

	type call struct {
		span     trace.SpanContext
		messages int
		result   error
	}
	calls := make(chan call, messages+1)
	consumer := client.NewConsumer(
		broker.ConsumerConfig{
			Topic:        cfg.Topic(topic),
			Subscription: "traced",
			MaxBatch:     messages,
			Trace:        true,
		},
	)
	first := true
	brokertest.Run(t, func(ctx context.Context) error {
		return consumer.Run(ctx, func(ctx context.Context, batch []broker.Received) error {
			made := call{span: trace.SpanContextFromContext(ctx), messages: len(batch)}
			if first {
				first, made.result = false, failing
			}

			calls <- made

			return made.result
		})
	})

	made := map[trace.SpanID]call{}
	for left := messages; left > 0; {
		c := <-calls

		made[c.span.SpanID()] = c
		if c.result == nil {
			left -= c.messages
		}
	}

	eventually(t, func() error {
		if n := len(exporter.GetSpans()); n != len(made) {
			return fmt.Errorf("%d spans for %d calls", n, len(made))
		}

		return nil
	})

	linked := map[string]bool{}
	for _, span := range exporter.GetSpans() {
		c := made[span.SpanContext.SpanID()]
		if span.Name != "process "+cfg.Topic(topic) || span.SpanKind != trace.SpanKindConsumer ||
			len(span.Links) != c.messages ||
			span.DroppedLinks != 0 {
			t.Errorf(
				"span %q of kind %v has %d links for %d messages, %d dropped",
				span.Name,
				span.SpanKind,
				len(span.Links),
				c.messages,
				span.DroppedLinks,
			)
		}

		if failed := span.Status.Code == codes.Error; failed != (c.result != nil) {
			t.Errorf("status %v after %v", span.Status, c.result)
		}

		for _, link := range span.Links {
			linked[link.SpanContext.TraceID().String()+"-"+link.SpanContext.SpanID().String()] = true
		}

		var attributes []string
		for _, a := range span.Attributes {
			attributes = append(attributes, string(a.Key)+"="+a.Value.String())
		}

		slices.Sort(attributes)

		want := []string{
			fmt.Sprint("messaging.batch.message_count=", c.messages),
			"messaging.destination.name=" + cfg.Topic(topic),
			"messaging.destination.subscription.name=traced",
			"messaging.operation.name=process",
			"messaging.operation.type=process",
			"messaging.system=pulsar",
		}
		if !slices.Equal(attributes, want) {
			t.Errorf("attributes %q, want %q", attributes, want)
		}
	}

	if len(linked) != messages || !linked["0af7651916cd43dd8448eb211c80319c-0000000000000001"] {
		t.Errorf("%d traces are linked, want %d", len(linked), messages)
	}
}

// publish sends messages, each with its traceparent, and waits until all are stored.
func publish(t *testing.T, p *broker.Publisher, messages int, traceparent func(int) string) {
	t.Helper()

	confirmed := make(chan error, messages)
	for n := range messages {
		p.Send(
			t.Context(),
			broker.Message{
				Key:        "k",
				Payload:    []byte("{}"),
				Properties: map[string]string{"traceparent": traceparent(n)},
			},
			func(err error) { confirmed <- err },
		)
	}

	for range messages {
		if err := <-confirmed; err != nil {
			t.Fatal(err)
		}
	}
}

func TestASpanBelongsToTheOneTraceOfItsBatch(t *testing.T) {
	t.Parallel()

	one, other := fmt.Sprintf(traceparent, 7), fmt.Sprintf(traceparent, 8)
	for name, tt := range map[string]struct {
		traceparents []string
		links        int
		parent       string
	}{
		"one":            {[]string{one}, 1, "0000000000000007"},
		"the same":       {[]string{one, one, one}, 1, "0000000000000007"},
		"two":            {[]string{one, other, one}, 2, "0000000000000000"},
		"one of two":     {[]string{"", one}, 1, "0000000000000000"},
		"none":           {[]string{"", ""}, 0, "0000000000000000"},
		"not readable":   {[]string{"00-x-y-01", one[:20]}, 0, "0000000000000000"},
		"all zero":       {[]string{"00-00000000000000000000000000000000-0000000000000000-01"}, 0, "0000000000000000"},
		"not understood": {[]string{"ff" + one[2:]}, 0, "0000000000000000"},
	} {
		exporter := tracetest.NewInMemoryExporter()
		provider := telemetry.Provider("test", sdk.NewSimpleSpanProcessor(exporter))

		var batch []broker.Received
		for _, text := range tt.traceparents {
			batch = append(
				batch,
				broker.Received{
					Message: broker.Message{Properties: map[string]string{"traceparent": text}},
				},
			)
		}

		batch = append(batch, batch[0])

		handle := broker.Traced(
			provider,
			broker.ConsumerConfig{Topic: "t", Subscription: "s"},
			func(context.Context, []broker.Received) error { return nil },
		)
		if err := handle(t.Context(), batch); err != nil {
			t.Fatal(err)
		}

		spans := exporter.GetSpans()
		if len(spans) != 1 || len(spans[0].Links) != tt.links ||
			spans[0].Parent.SpanID().String() != tt.parent {
			t.Errorf(
				"%s: %d spans, links %v, parent %v",
				name,
				len(spans),
				spans[0].Links,
				spans[0].Parent.SpanID(),
			)
		}
	}
}

// A consumer without tracing creates no spans.
func TestNothingIsTracedUnasked(t *testing.T) {
	t.Parallel()
	cfg := brokertest.Namespace(t, plan(1, "untraced"))
	client := brokertest.Client(t, cfg)
	publish(
		t,
		publisher(t, cfg, client),
		1,
		func(int) string { return fmt.Sprintf(traceparent, 1) },
	)
	spans := make(chan trace.SpanContext, 1)
	consumer := client.NewConsumer(
		broker.ConsumerConfig{Topic: cfg.Topic(topic), Subscription: "untraced"},
	)
	brokertest.Run(t, func(ctx context.Context) error {
		return consumer.Run(ctx, func(ctx context.Context, _ []broker.Received) error {
			spans <- trace.SpanContextFromContext(ctx)
			return nil
		})
	})

	select {
	case span := <-spans:
		if span.IsValid() {
			t.Errorf("span %v", span.SpanID())
		}
	case <-time.After(20 * time.Second):
		t.Error("nothing came")
	}
}
