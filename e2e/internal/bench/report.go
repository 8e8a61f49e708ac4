package bench

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"time"
)

// Report is the result of a run.
type Report struct {
	Machine string   `json:"machine"`
	Rounds  int      `json:"rounds"`
	Rows    int      `json:"rows"`
	Rates   []Result `json:"rates"`
	Figures []Figure `json:"figures"`
	// the whole path, by build
	Whole []BuildResults `json:"whole,omitempty"`
}

// Figure is measured once.
type Figure struct {
	Name  string  `json:"name"`
	Value float64 `json:"value"`
	Unit  string  `json:"unit,omitempty"`
	Goal  string  `json:"goal,omitempty"` // the goal of the design, for the reader
}

// Add adds a figure.
func (r *Report) Add(name string, value float64, unit, goal string) {
	r.Figures = append(r.Figures, Figure{name, value, unit, goal})
}

// AddQuantiles adds the median and the 99th percentile of times, in the unit. The goal is the
// latter's.
func (r *Report) AddQuantiles(name string, times []time.Duration, unit time.Duration, goal string) {
	label := strings.TrimPrefix(unit.String(), "1")
	of := func(q float64) float64 { return float64(Quantile(times, q)) / float64(unit) }
	r.Add(name+", p50", of(0.5), label, "")
	r.Add(name+", p99", of(0.99), label, goal)
}

// AddUsage adds the CPU time of work, process by process.
func (r *Report) AddUsage(name string, done Done) {
	for _, process := range slices.Sorted(maps.Keys(done.CPU)) {
		r.Add(name+": CPU an event, "+process, done.CPU[process], "µs", "")
	}
}

// Median returns the median rate of a measure, or otherwise if it was not taken.
func (r *Report) Median(measure string, otherwise float64) float64 {
	for _, m := range r.Rates {
		if m.Name == measure {
			return SpreadOf(m.Rate).Median
		}
	}

	return otherwise
}

// Ratio returns the median ratio of a measure to another one, or 0 if it was not taken.
func (r *Report) Ratio(measure, per string) float64 {
	for _, m := range r.Rates {
		for _, p := range m.Per {
			if m.Name == measure && p.Name == per {
				return SpreadOf(p.Ratios).Median
			}
		}
	}

	return 0
}

// Print writes the report as tables for people.
func (r *Report) Print(w io.Writer) {
	line := func(format string, args ...any) { _, _ = fmt.Fprintf(w, format+"\n", args...) }
	line(
		"\n%-46s %28s   %-34s %s",
		fmt.Sprintf("events per second, %d rounds", r.Rounds),
		"median (min – max)",
		"ratio, median (min – max)",
		"goal",
	)

	for _, m := range r.Rates {
		rate := SpreadOf(m.Rate)

		text := fmt.Sprintf("%-46s %10.0f (%6.0f – %6.0f)", m.Name, rate.Median, rate.Min, rate.Max)
		if len(m.Per) == 0 {
			line("%s", text)
		}

		for _, per := range m.Per {
			ratio := SpreadOf(per.Ratios)
			line(
				"%-75s   %-34s %s",
				text,
				fmt.Sprintf(
					"%.2f (%.2f – %.2f) × %s",
					ratio.Median,
					ratio.Min,
					ratio.Max,
					short(per.Name),
				),
				per.Goal,
			)
			text = ""
		}
	}

	line("\n%-60s %10s %-5s %s", "once", "figure", "", "goal")

	for _, f := range r.Figures {
		line("%-60s %10.2f %-5s %s", f.Name, f.Value, f.Unit, f.Goal)
	}
}

// Save writes the report as JSON.
func (r *Report) Save(file string) error {
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}

	return os.WriteFile(file, append(text, '\n'), 0o600)
}

// short returns a measure's label: the text before the colon.
func short(name string) string {
	label, _, _ := strings.Cut(name, ":")
	return label
}
