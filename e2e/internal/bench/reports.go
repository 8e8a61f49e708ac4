package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// Parts measures the parts of the build once, by the build's own benchmark with the flags.
func (b Build) Parts(ctx context.Context, flags []string) (Report, error) {
	var report Report

	file := filepath.Join(b.State, "parts.json")

	args := append([]string{"run", "./e2e/cmd/bench", "-rounds", "1", "-json", file}, flags...)
	if err := command(ctx, b.Root, nil, "go", args...); err != nil {
		return report, err
	}

	text, err := os.ReadFile(file) //nolint:gosec // the benchmark has just written it
	if err != nil {
		return report, err
	}

	return report, json.Unmarshal(text, &report)
}

// PrintReports writes how the measurements after compare with those before, round by round: rates,
// the CPU time an event without the load generator, and single figures.
func PrintReports(w io.Writer, before, after []Report) {
	var names []string

	ratio := map[string][]float64{}
	note := func(name string, was, is float64) {
		if was <= 0 {
			return
		}

		if ratio[name] == nil {
			names = append(names, name)
		}

		ratio[name] = append(ratio[name], is/was)
	}

	for round := range min(len(before), len(after)) {
		was, is := before[round].values(), after[round].values()
		for _, v := range is {
			for _, other := range was {
				if other.name == v.name {
					note(v.name, other.value, v.value)
				}
			}
		}
	}

	_, _ = fmt.Fprintln(w, "\nthe parts: ratio, median (min – max) of the rounds")
	for _, name := range names {
		_, _ = fmt.Fprintf(w, "  %-70s %s\n", name, spreadText(ratio[name], "%.2f"))
	}
}

type named struct {
	name  string
	value float64
}

// values returns every figure of a report of one round.
func (r Report) values() []named {
	var all []named
	for _, m := range r.Rates {
		if len(m.Rate) == 0 {
			continue
		}

		all = append(all, named{m.Name, m.Rate[0]})

		if len(m.CPU) > 0 {
			all = append(all, named{m.Name + ": CPU an event", StepResult{CPU: m.CPU[0]}.Usage()})
		}
	}

	for _, f := range r.Figures {
		all = append(all, named{f.Name, f.Value})
	}

	return all
}
