// Package bench measures Tributary beside what its machine can do by itself, in the same run:
// figures of a shared machine mean little, ratios within one run do.
package bench

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// Done is the amount of work, its duration, and its CPU time: microseconds an event, by process.
type Done struct {
	Events int
	Took   time.Duration
	CPU    map[string]float64
}

// Rate returns the events per second.
func (d Done) Rate() float64 { return float64(d.Events) / d.Took.Seconds() }

// Measure is measured once a round.
type Measure struct {
	Name string
	Per  []Per // the measures it is compared with; empty for a baseline
	Run  func(ctx context.Context) (Done, error)
}

// Per compares a measure with another of the same round.
type Per struct {
	Name   string    `json:"name"`
	Goal   string    `json:"goal,omitempty"` // the goal of the design, for the reader
	Ratios []float64 `json:"ratios"`         // round by round
}

// Result is the outcome of the rounds of a measure.
type Result struct {
	Name string               `json:"name"`
	Rate []float64            `json:"events_per_second"`
	CPU  []map[string]float64 `json:"cpu_microseconds_per_event"` // by process
	Per  []Per                `json:"compared_with,omitempty"`
}

// Rounds runs every measure once a round, each round in another order, and compares within the
// round.
func Rounds(
	ctx context.Context,
	rounds int,
	measures []Measure,
	say func(string, ...any),
) ([]Result, error) {
	results := make([]Result, len(measures))
	for i, m := range measures {
		results[i] = Result{Name: m.Name, Per: slices.Clone(m.Per)}
	}

	for round := range rounds {
		rates := map[string]float64{}
		for n := range measures {
			i := (n + round) % len(measures)
			m := measures[i]
			begin := time.Now()

			done, err := m.Run(ctx)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", m.Name, err)
			}

			say(
				"  round %d/%d  %-44s %10.0f /s  (%.0f s)  %s",
				round+1,
				rounds,
				m.Name,
				done.Rate(),
				time.Since(begin).Seconds(),
				usageText(done.CPU),
			)
			rates[m.Name] = done.Rate()
			results[i].Rate = append(results[i].Rate, done.Rate())
			results[i].CPU = append(results[i].CPU, done.CPU)
		}

		for i, m := range measures {
			for n, per := range m.Per {
				if rates[per.Name] > 0 {
					results[i].Per[n].Ratios = append(
						results[i].Per[n].Ratios,
						rates[m.Name]/rates[per.Name],
					)
				}
			}
		}
	}

	return results, nil
}

// Spread is the smallest, the middle and the largest of some figures.
type Spread struct {
	Min    float64 `json:"min"`
	Median float64 `json:"median"`
	Max    float64 `json:"max"`
}

// SpreadOf returns the spread of the figures, which it does not modify.
func SpreadOf(figures []float64) Spread {
	if len(figures) == 0 {
		return Spread{}
	}

	sorted := slices.Sorted(slices.Values(figures))

	return Spread{sorted[0], sorted[len(sorted)/2], sorted[len(sorted)-1]}
}

// Quantile returns the figure that a share q of all figures does not exceed.
func Quantile(figures []time.Duration, q float64) time.Duration {
	if len(figures) == 0 {
		return 0
	}

	slices.Sort(figures)

	return figures[min(len(figures)-1, int(q*float64(len(figures))))]
}

// during calls work repeatedly and concurrently until the time is over. work returns the number of
// events done.
func during(
	ctx context.Context,
	length time.Duration,
	workers int,
	work func(ctx context.Context, worker int) (int, error),
) (Done, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	counts := make(chan int, workers)
	begin := time.Now()

	end := begin.Add(length)
	for w := range workers {
		go func() {
			n := 0
			for time.Now().Before(end) && ctx.Err() == nil {
				done, err := work(ctx, w)
				if err != nil {
					cancel(err)
					break
				}

				n += done
			}

			counts <- n
		}()
	}

	total := 0
	for range workers {
		total += <-counts
	}

	if err := context.Cause(ctx); err != nil {
		return Done{}, err
	}

	return Done{Events: total, Took: time.Since(begin)}, nil
}
