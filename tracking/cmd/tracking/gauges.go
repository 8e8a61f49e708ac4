package main

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"tributary/tracking/internal/application/ingest"
)

type commits struct {
	rows prometheus.Histogram
	took prometheus.Histogram
}

func newCommits(metrics prometheus.Registerer) *commits {
	c := &commits{
		rows: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:    "tracking_commit_events",
			Help:    "Events in a commit.",
			Buckets: []float64{1, 2, 5, 10, 20, 50, 100, 200, 500, 1000},
		}),
		took: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:    "tracking_commit_seconds",
			Help:    "Duration of a commit.",
			Buckets: []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, 1, 5},
		}),
	}
	metrics.MustRegister(c.rows, c.took)

	return c
}

func (c *commits) observe(rows int, took time.Duration) {
	c.rows.Observe(float64(rows))
	c.took.Observe(took.Seconds())
}

func watchQueue(metrics prometheus.Registerer, c *ingest.Coalescer) {
	metrics.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "tracking_intake_waiting", Help: "Events waiting to be written.",
	}, func() float64 { return float64(c.Waiting()) }))
}
