package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"tributary/e2e/internal/bench"
)

// stage is measured once, after the rounds.
type stage struct {
	name string
	run  func(ctx context.Context, o options, report *bench.Report) error
}

func (b *benches) stages() []stage {
	return []stage{
		{
			"cost",
			b.cost,
		},
		{"latency", b.latency},
		{"outage", b.outage},
		{"sustained", b.sustained},
		{"lists", b.lists},
		{"memory", b.memory},
	}
}

// cost reports the cost of an event by single POST, under the same conditions as its rate.
func (b *benches) cost(ctx context.Context, o options, report *bench.Report) error {
	_, err := b.pipeline.Alone(ctx, "tracking", func(ctx context.Context) (bench.Done, error) {
		return bench.Costs(
			ctx,
			report,
			b.tracking,
			b.stack.URL("tracking"),
			func(ctx context.Context) (bench.Done, error) {
				return b.pipeline.Meter.Around(
					func() (bench.Done, error) { return b.load.Closed(ctx, o.length, 256, 1) },
				)
			},
		)
	})

	return err
}

// latency is measured at half of the measured rate of single events, or at 4,000 a second without
// one.
func (b *benches) latency(ctx context.Context, o options, report *bench.Report) error {
	rate := report.Median(single, 8000) / 2
	_, err := b.pipeline.Alone(ctx, "tracking", func(ctx context.Context) (bench.Done, error) {
		var latencies []time.Duration
		done, err := b.pipeline.Meter.Around(func() (done bench.Done, err error) {
			latencies, err = b.load.Open(ctx, 3*o.length, 64, rate)
			return bench.Done{Events: len(latencies)}, err
		})
		report.AddUsage("single event POST at half of the rate", done)
		report.Add("single event POST, open loop, half of the rate", rate, "/s", "")
		report.AddQuantiles("  its latency", latencies, time.Millisecond, "≤ 25")

		return done, err
	})

	return err
}

// pathRate is the target of the whole path, in events a second.
const pathRate = 5000

// outage stops the broker while events arrive, and measures how soon the waiting events are
// published and decided afterwards.
func (b *benches) outage(ctx context.Context, o options, report *bench.Report) error {
	found, err := b.pipeline.Outage(
		ctx,
		bench.Away{Length: o.outage, Saturated: min(o.length, o.outage), Rate: pathRate},
	)
	if err != nil {
		return err
	}

	report.Add(
		fmt.Sprintf("broker away for %v: rate of intake at its limit, single events", o.outage),
		found.Rate,
		"/s",
		"",
	)

	if usual := report.Median(single, 0); usual > 0 {
		report.Add("  compared with its usual rate", found.Rate/usual, "", "≥ 0.9")
	}

	report.Add("  tracking's peak memory grew by", found.GrewMiB, "MiB", "≤ 20")
	report.Add("  events that waited at its return", float64(found.Waited), "", "")
	report.Add(
		"  until published less than 1 s after receipt",
		found.Published.Seconds(),
		"s",
		"≤ 10",
	)
	report.Add("  until decided less than 1 s after receipt", found.Decided.Seconds(), "s", "")

	return nil
}

// sustained drives the whole path at the target rate and at half of it, and reports how far the
// decisions lag.
func (b *benches) sustained(ctx context.Context, o options, report *bench.Report) error {
	behind, lags, err := b.pipeline.Sustained(ctx, o.sustained, pathRate)
	if err != nil {
		return err
	}

	half := len(behind) / 2
	report.Add(fmt.Sprintf("whole path for %v", o.sustained), pathRate, "/s", "≥ 5000")
	report.Add(
		"  pending at most, first half of the time",
		float64(slices.Max(behind[:half])),
		"",
		"",
	)
	report.Add(
		"  pending at most, second half",
		float64(slices.Max(behind[half:])),
		"",
		"not growing",
	)
	report.AddQuantiles("  from receipt to decision", lags, time.Second, "")

	if _, lags, err = b.pipeline.Sustained(ctx, o.sustained/4, pathRate/2); err != nil {
		return err
	}

	report.Add("whole path at half load", pathRate/2, "/s", "")
	report.AddQuantiles("  from receipt to decision", lags, time.Second, "≤ 0.5")

	return nil
}

// lists measures the latencies of list requests in sequence.
func (b *benches) lists(ctx context.Context, _ options, report *bench.Report) error {
	for _, query := range bench.Lists() {
		latencies, err := b.pipeline.List(ctx, query, 500)
		if err != nil {
			return err
		}

		report.AddQuantiles("list of 100 events "+query.Name, latencies, time.Millisecond, "≤ 20")
	}

	return nil
}

// memory reports the peak memory of each service so far.
func (b *benches) memory(_ context.Context, _ options, report *bench.Report) error {
	for name, goal := range map[string]string{"tracking": "≤ 150", "commission": "≤ 150", "bff": "≤ 100"} {
		pid, ok := b.stack.PID(name)
		if !ok {
			return fmt.Errorf("%s does not run", name)
		}

		report.Add("memory at most, "+name, bench.PeakMemory(pid), "MiB", goal)
	}

	return nil
}
