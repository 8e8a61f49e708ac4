package broker

import (
	"errors"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics are recorded beside the client library's own (pulsar_client_…).
type metrics struct {
	messages     *prometheus.CounterVec
	batches      *prometheus.HistogramVec
	ackFailures  *prometheus.CounterVec
	connects     *prometheus.CounterVec
	heldSeconds  *prometheus.GaugeVec
	messageDelay *prometheus.GaugeVec
}

// newMetrics registers the metrics, or returns those that another client has registered.
func newMetrics(registry prometheus.Registerer) (metrics, error) {
	var errs []error
	topic := []string{"topic"}
	m := metrics{
		messages: register(&errs, registry, prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "broker_messages_total",
			Help: "Messages by topic and outcome: published, failed, consumed, unreadable.",
		}, []string{"topic", "outcome"})),
		batches: register(&errs, registry, prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "broker_batch_messages",
			Help:    "Messages in a batch handed over.",
			Buckets: []float64{1, 5, 20, 100, 250, 500, 1000},
		}, topic)),
		ackFailures: register(&errs, registry, prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "broker_ack_failures_total",
			Help: "Acknowledgements that failed or took too long. They are retried.",
		}, topic)),
		connects: register(&errs, registry, prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "broker_connects_total",
			Help: "Producers and consumers created, by topic and reason: start, lost, silent, " +
				"unproven.",
		}, []string{"topic", "reason"})),
		heldSeconds: register(&errs, registry, prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "broker_batch_held_seconds",
			Help: "How long batches have been held because handling them fails, summed over " +
				"the held batches; 0 without one.",
		}, topic)),
		messageDelay: register(&errs, registry, prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "broker_consumer_delay_seconds",
			Help: "Age of the oldest message of the last batch when it was handled; 0 if no message is waiting.",
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
