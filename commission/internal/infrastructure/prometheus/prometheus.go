// Package prometheus (infrastructure) counts what the stores have committed, for Prometheus.
package prometheus

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"tributary/commission/internal/application/command"
	"tributary/commission/internal/domain/commission"
	"tributary/commission/internal/domain/payout"
)

// Metrics are the business metrics, in the words of the database and the API. They count what is
// committed and new: a repeated message or request does not count. What was committed without an
// answer, because the connection broke, is not counted.
type Metrics struct {
	now         func() time.Time
	decisions   *prometheus.CounterVec
	commissions *prometheus.CounterVec
	payouts     *prometheus.CounterVec
	replayed    prometheus.Counter
	lag         prometheus.Histogram
}

// New registers the metrics.
func New(registry prometheus.Registerer, now func() time.Time) *Metrics {
	m := &Metrics{
		now: now,
		decisions: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "commission_decisions_total",
			Help: "Decisions about events. A parked decision counts again when it is resolved.",
		}, []string{"outcome", "reason"}),
		commissions: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "commission_commissions_total",
			Help: "Commissions that entered a status, including new ones. A clawback counts " +
				"once, when it is new.",
		}, []string{"kind", "status"}),
		payouts: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "commission_payouts_total",
			Help: "Payouts that entered a status, including new ones.",
		}, []string{"status"}),
		replayed: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "commission_replayed_events_total",
			Help: "Events of their periods that replays have decided again.",
		}),
		lag: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:    "commission_decision_lag_seconds",
			Help:    "Time from the receipt of an event by tracking to its committed decision.",
			Buckets: prometheus.ExponentialBuckets(0.01, 2.5, 14), // 10 ms to 25 minutes
		}),
	}
	registry.MustRegister(m.decisions, m.commissions, m.payouts, m.replayed, m.lag)

	return m
}

// pair is the values of two labels. Rows are counted in batches, so that a batch of hundreds costs
// a few look-ups.
type pair [2]string

func add(to *prometheus.CounterVec, counts map[pair]int) {
	for labels, n := range counts {
		//nolint:forbidigo // a number of rows, no money
		to.WithLabelValues(labels[0], labels[1]).Add(float64(n))
	}
}

func (m *Metrics) decided(c command.DecisionChanges) {
	counts, now := map[pair]int{}, m.now()
	for _, d := range c.Decisions {
		counts[pair{string(d.Outcome), string(d.Reason)}]++
		m.lag.Observe(max(now.Sub(d.Event.Snapshot().ReceivedAt), 0).Seconds())
	}

	for _, d := range c.Resolved {
		counts[pair{string(d.Outcome), string(d.Reason)}]++
	}

	add(m.decisions, counts)
	m.made(c.Commissions)

	reversed := 0

	for i := range c.Moved {
		if c.Moved[i].Status == commission.Reversed {
			reversed++
		}
	}

	m.came(commission.Earning, commission.Reversed, reversed)
}

func (m *Metrics) made(commissions []commission.Snapshot) {
	counts := map[pair]int{}
	for i := range commissions {
		s := &commissions[i]
		counts[pair{string(s.Kind), string(s.Status)}]++
	}

	add(m.commissions, counts)
}

func (m *Metrics) came(kind commission.Kind, status commission.Status, n int) {
	if n > 0 {
		add(m.commissions, map[pair]int{{string(kind), string(status)}: n})
	}
}

func (m *Metrics) paid(status payout.Status) { m.payouts.WithLabelValues(string(status)).Inc() }
