package bench

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
)

// Report is everything that a run found.
type Report struct {
	Machine   string             `json:"machine"`
	Rounds    int                `json:"rounds"`
	Rates     []Result           `json:"rates"`
	Latencies map[string]float64 `json:"latency_ms"`
	Cost      Cost               `json:"cost"`
	Pipeline  map[string]float64 `json:"pipeline"`
}

// Print writes the report as tables for people.
func (r Report) Print(w io.Writer) {
	line := func(format string, args ...any) { _, _ = fmt.Fprintf(w, format+"\n", args...) }
	same := func(f float64) float64 { return f }
	line("\n%-46s %28s   %-26s %s", "events per second, "+fmt.Sprint(r.Rounds)+" rounds", "median (min – max)", "ratio, median (min – max)", "goal")
	for _, m := range r.Rates {
		rate := SpreadOf(m.Rate, same)
		text := ""
		if m.Per != "" {
			ratio := SpreadOf(m.Ratios, same)
			text = fmt.Sprintf("%.2f (%.2f – %.2f) × %s", ratio.Median, ratio.Min, ratio.Max, short(m.Per))
		}
		line("%-46s %10.0f (%6.0f – %6.0f)   %-34s %s", m.Name, rate.Median, rate.Min, rate.Max, text, m.Goal)
	}
	line("\nSingle event POST at half of the measured rate, open loop: p50 %.1f ms, p99 %.1f ms, p99.9 %.1f ms", r.Latencies["p50"], r.Latencies["p99"], r.Latencies["p99.9"])
	line("Lists of 100 events: p50 %.1f ms, p99 %.1f ms", r.Latencies["list_p50"], r.Latencies["list_p99"])
	line("Cost of an event by single POST: %d µs of the service's CPU, %d µs of PostgreSQL's, %.0f bytes of WAL; tracking's peak memory %.0f MiB",
		r.Cost.ServiceCPU.Microseconds(), r.Cost.PostgresCPU.Microseconds(), r.Cost.WALBytes, r.Cost.ServicePeakMiB)
	for _, name := range slices.Sorted(maps.Keys(r.Pipeline)) {
		line("%-46s %10.3f", strings.ReplaceAll(name, "_", " "), r.Pipeline[name])
	}
}

// Save writes the report as JSON.
func (r Report) Save(file string) error {
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(file, append(text, '\n'), 0o600)
}

// short is a measure's label: what stands before the colon.
func short(name string) string {
	label, _, _ := strings.Cut(name, ":")
	return label
}
