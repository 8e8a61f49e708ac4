package bench

import (
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// BuildResults are the results of the rounds of a build, by step.
type BuildResults struct {
	Build string                  `json:"build"`
	Steps map[string][]StepResult `json:"steps"`
}

// Compare drives every step on a fresh stack of each build, in a number of rounds. The builds take
// turns in going first.
func Compare(
	ctx context.Context,
	builds []Build,
	rounds int,
	length time.Duration,
	say func(string, ...any),
) ([]BuildResults, error) {
	found := make([]BuildResults, len(builds))
	for i, b := range builds {
		say("compiling %s", b.Name)

		if err := b.Compile(ctx); err != nil {
			return nil, err
		}

		found[i] = BuildResults{Build: b.Name, Steps: map[string][]StepResult{}}
	}

	for round := range rounds {
		for n := range builds {
			i := (n + round) % len(builds)
			say("round %d/%d  %s: starting a fresh stack", round+1, rounds, builds[i].Name)

			if err := drive(ctx, builds[i], length, found[i].Steps, say); err != nil {
				return nil, fmt.Errorf("%s: %w", builds[i].Name, err)
			}
		}
	}

	return found, nil
}

// drive runs every step on a fresh stack of the build.
func drive(
	ctx context.Context,
	b Build,
	length time.Duration,
	found map[string][]StepResult,
	say func(string, ...any),
) (err error) {
	defer func() {
		if fault := b.Discard(context.WithoutCancel(ctx)); err == nil {
			err = fault
		}
	}()

	if err := b.Up(ctx); err != nil {
		return err
	}

	path, err := NewPath(ctx, b)
	if err != nil {
		return err
	}
	defer path.Close()

	for _, step := range Steps() {
		result, err := path.Take(ctx, step, length)
		if err != nil {
			return fmt.Errorf("%s: %w%s", step.Name, err, complaints(b))
		}

		say("  %-46s %s", step.Name, resultText(result))

		found[step.Name] = append(found[step.Name], result)
		if step.Name != FirstSeconds {
			continue
		}

		if err := path.Age(ctx); err != nil {
			return err
		}
	}

	return nil
}

// complaints returns the last warnings in the logs of the stack, which is about to be discarded.
func complaints(b Build) string {
	const most = 5

	var all []string

	files, _ := filepath.Glob(filepath.Join(b.State, "logs", "*.log"))
	for _, file := range files {
		text, _ := os.ReadFile(file) //nolint:gosec // of the stack that this program started

		var last []string
		for line := range strings.Lines(string(text)) {
			if strings.Contains(line, "WARN") || strings.Contains(line, "ERROR") {
				last = append(last[max(0, len(last)-most+1):], filepath.Base(file)+": "+strings.TrimSpace(line))
			}
		}

		all = append(all, last...)
	}

	return "\n" + strings.Join(all, "\n")
}

func resultText(p StepResult) string {
	return fmt.Sprintf(
		"%6.0f accepted %6.0f decided /s   lag p50 %4.0f p99 %5.0f ms   %4.0f %s",
		p.Accepted,
		p.Decided,
		milliseconds(p.P50),
		milliseconds(p.P99),
		p.Usage(),
		usageText(p.CPU),
	)
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// PrintPassages writes the medians of each build, and how the last build compares with the first
// one, round by round.
func PrintBuildResults(w io.Writer, found []BuildResults) {
	line := func(format string, args ...any) { _, _ = fmt.Fprintf(w, format+"\n", args...) }

	for _, f := range found {
		line("\nthe whole path, everything on: medians of %s", f.Build)

		for _, step := range Steps() {
			line("  %-46s %s", step.Name, resultText(medians(f.Steps[step.Name])))
		}

		line(
			"  %-46s %s s",
			"a fresh stack decides 0.8 of its warm rate after",
			spreadText(f.untilWarm(), "%.0f"),
		)
	}

	if len(found) < 2 {
		return
	}

	base, this := found[0], found[len(found)-1]
	line("\n%s compared with %s: ratio, median (min – max) of the rounds", this.Build, base.Build)
	line(
		"  %-46s %-22s %-22s %s",
		"",
		"accepted and decided",
		"CPU an event",
		"lag p99",
	)

	for _, step := range Steps() {
		before, after := base.Steps[step.Name], this.Steps[step.Name]
		line(
			"  %-46s %-22s %-22s %s",
			step.Name,
			spreadText(ratios(before, after, StepResult.Rate), "%.2f"),
			spreadText(ratios(before, after, StepResult.Usage), "%.2f"),
			spreadText(ratios(before, after, func(p StepResult) float64 { return milliseconds(p.P99) }), "%.2f"),
		)
	}
}

func spreadText(figures []float64, format string) string {
	s := SpreadOf(figures)

	return fmt.Sprintf(format+" ("+format+" – "+format+")", s.Median, s.Min, s.Max)
}

func ratios(before, after []StepResult, figure func(StepResult) float64) []float64 {
	var all []float64
	for round := range min(len(before), len(after)) {
		if figure(before[round]) > 0 {
			all = append(all, figure(after[round])/figure(before[round]))
		}
	}

	return all
}

// medians returns the median of every figure of the rounds.
func medians(rounds []StepResult) StepResult {
	median := func(figure func(StepResult) float64) float64 {
		figures := make([]float64, len(rounds))
		for i, p := range rounds {
			figures[i] = figure(p)
		}

		return SpreadOf(figures).Median
	}

	middle := StepResult{
		Accepted: median(func(p StepResult) float64 { return p.Accepted }),
		Decided:  median(func(p StepResult) float64 { return p.Decided }),
		P50:      time.Duration(median(func(p StepResult) float64 { return float64(p.P50) })),
		P99:      time.Duration(median(func(p StepResult) float64 { return float64(p.P99) })),
		CPU:      map[string]float64{},
	}
	for _, p := range rounds {
		for name := range maps.Keys(p.CPU) {
			middle.CPU[name] = median(func(p StepResult) float64 { return p.CPU[name] })
		}
	}

	return middle
}

// untilWarm returns, round by round, after how many seconds a fresh stack first decided 0.8 of its
// warm rate in a second.
func (f BuildResults) untilWarm() []float64 {
	var all []float64
	for round, first := range f.Steps[FirstSeconds] {
		if round >= len(f.Steps[AtLimit]) {
			break
		}

		enough := 0.8 * f.Steps[AtLimit][round].Rate()
		after := slices.IndexFunc(first.Seconds, func(n int64) bool { return float64(n) >= enough })

		if after < 0 {
			after = len(first.Seconds)
		}

		all = append(all, float64(after+1))
	}

	return all
}
