package broker

import (
	"errors"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics are ours beside the client library's own (pulsar_client_…).
type metrics struct {
	messages     *prometheus.CounterVec
	batches      *prometheus.HistogramVec
	ackFailures  *prometheus.CounterVec
	connects     *prometheus.CounterVec
	heldSeconds  *prometheus.GaugeVec
	messageDelay *prometheus.GaugeVec
}

// newMetrics registers the metrics, or finds them where another client has registered them before.
func newMetrics(registry prometheus.Registerer) (metrics, error) {
	var errs []error
	topic := []string{"topic"}
	m := metrics{
		messages: register(&errs, registry, prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "broker_messages_total",
			Help: "Messages by topic and what became of them: published, failed, consumed.",
		}, []string{"topic", "outcome"})),
		batches: register(&errs, registry, prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "broker_batch_messages",
			Help:    "Messages handed over at once.",
			Buckets: []float64{1, 5, 20, 100, 250, 500, 1000},
		}, topic)),
		ackFailures: register(&errs, registry, prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "broker_ack_failures_total",
			Help: "Acknowledgements that failed or took too long. They are tried again.",
		}, topic)),
		connects: register(&errs, registry, prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "broker_connects_total",
			Help: "Producers and consumers made, by topic and reason: start, lost, silent, " +
				"unproven.",
		}, []string{"topic", "reason"})),
		heldSeconds: register(&errs, registry, prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "broker_batch_held_seconds",
			Help: "For how long batches have been held because handling them fails, summed over " +
				"the held ones; 0 when none is.",
		}, topic)),
		messageDelay: register(&errs, registry, prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "broker_consumer_delay_seconds",
			Help: "Age of the oldest message of the last batch when it was handled; 0 when nothing waits.",
		}, topic)),
	}

	return m, errors.Join(errs...)
}

func register[C prometheus.Collector](errs *[]error, registry prometheus.Registerer, c C) C {
	err := registry.Register(c)

	var known prometheus.AlreadyRegisteredError
	if errors.As(err, &known) {
		if existing, ok := known.ExistingCollector.(C); ok {
			return existing
		}
	}

	if err != nil {
		*errs = append(*errs, err)
	}

	return c
}
