package broker

import (
	"context"
	"log/slog"

	"github.com/apache/pulsar-client-go/pulsar"
	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/trace"
)

// WithLibrary returns a client over a fake of the client library.
func WithLibrary(library pulsar.Client) *Client {
	m, err := newMetrics(prometheus.NewRegistry())
	if err != nil {
		panic(err)
	}

	return &Client{pulsar: library, logger: slog.New(slog.DiscardHandler), metrics: m}
}

// Quiet wraps a handler for the library's messages.
func Quiet(h slog.Handler) slog.Handler { return newQuiet(h) }

// Traced wraps a handler for spans.
func Traced(
	provider trace.TracerProvider,
	cfg ConsumerConfig,
	handle func(context.Context, []Received) error,
) func(context.Context, []Received) error {
	return traced(provider, cfg, handle)
}

// Places calls place with the partition and the entry of each message.
func Places[T any](batch []Received, place func(partition int32, entry int64) T) []T {
	all := make([]T, len(batch))
	for i, m := range batch {
		all[i] = place(m.id.PartitionIdx(), m.id.EntryID())
	}

	return all
}
