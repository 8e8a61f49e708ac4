// Command bench measures the whole stack beside what this machine's PostgreSQL and Pulsar can do by
// themselves, in one run. It starts a private stack with durable settings and removes it at the
// end.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"tributary/devstack"
	"tributary/e2e/internal/bench"
	"tributary/platform/process"
)

func main() { os.Exit(process.Main(os.Args[1:], os.Stderr, run)) }

type options struct {
	rounds            int
	warm              time.Duration
	length, sustained time.Duration
	outage            time.Duration
	backlog, rows     int
	step              time.Duration
	only, json        string
	against           string
}

func parse(args []string) (options, error) {
	var o options
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.IntVar(&o.rounds, "rounds", 3, "how often each figure is taken")
	flags.DurationVar(
		&o.warm,
		"warm",
		30*time.Second,
		"how long everything is driven first, so that no compiler is measured",
	)
	flags.DurationVar(&o.length, "length", 8*time.Second, "how long each figure is measured")
	flags.DurationVar(
		&o.sustained,
		"sustained",
		5*time.Minute,
		"how long the whole path is driven at a fixed rate",
	)
	flags.DurationVar(
		&o.outage,
		"outage",
		time.Minute,
		"how long the broker is down while events arrive",
	)
	flags.IntVar(&o.backlog, "backlog", 200_000, "events in the backlog for relay and consumer")
	flags.IntVar(
		&o.rows,
		"rows",
		0,
		"rows to put into the log by COPY, such as 30000000, after which the intake is measured again",
	)
	flags.StringVar(
		&o.only,
		"only",
		"",
		"a regular expression: only the measures and stages that it finds; stages are whole, cost, "+
			"latency, outage, sustained, lists, memory",
	)
	flags.DurationVar(
		&o.step,
		"step",
		5*time.Second,
		"how long each load is put on the whole path",
	)
	flags.StringVar(
		&o.against,
		"against",
		"",
		"a commit whose build is measured in turn with this one",
	)
	flags.StringVar(&o.json, "json", "bench.json", "where the report is written as JSON")

	return o, flags.Parse(args)
}

func run(ctx context.Context, args []string) error {
	o, err := parse(args)
	if err != nil {
		return err
	}

	only, err := regexp.Compile(o.only)
	if err != nil {
		return err
	}

	say := func(format string, args ...any) { fmt.Printf(format+"\n", args...) }
	report := bench.Report{
		Machine: fmt.Sprintf("%d cores, %s", runtime.NumCPU(), runtime.Version()),
		Rounds:  o.rounds,
		Rows:    o.rows,
	}

	if only.MatchString(wholeStage) || o.against != "" {
		if err := compared(ctx, o, &report, only, say); err != nil {
			return err
		}
	}

	if o.against == "" && len(new(benches).names(o, only)) > 0 {
		if err := parts(ctx, o, &report, only); err != nil {
			return err
		}

		report.Print(os.Stdout)
	}

	return report.Save(o.json)
}

// compared measures the whole path and, against another commit, the parts that -only selects.
func compared(
	ctx context.Context,
	o options,
	report *bench.Report,
	only *regexp.Regexp,
	say func(string, ...any),
) (err error) {
	list, discard, err := builds(ctx, o)
	if discard != nil {
		defer func() { err = errors.Join(err, discard()) }()
	}

	if err != nil {
		return err
	}

	if only.MatchString(wholeStage) {
		if report.Whole, err = whole(ctx, o, list, say); err != nil {
			return err
		}
	}

	if names := new(benches).names(o, only); o.against != "" && len(names) > 0 {
		o.only = "^(" + strings.Join(names, "|") + ")$"
		return pairs(ctx, o, list, say)
	}

	return nil
}

// parts measures each part of the path by itself, on a private stack.
func parts(ctx context.Context, o options, report *bench.Report, only *regexp.Regexp) error {
	dir, err := os.MkdirTemp("", "tributary-bench-")
	if err != nil {
		return err
	}

	if err := os.Chmod(dir, 0o755); err != nil { //nolint:gosec // the databases' user must pass
		return err
	}

	stack, err := devstack.Load(".", os.Stdout)
	if err != nil {
		return err
	}

	if stack, err = stack.Private(ctx, dir); err != nil {
		return err
	}

	stack.Fast = false // durable, as in use

	stack.Env["RATE_LIMIT"] = "0"
	stack.Env["TRACKING_RATE_LIMIT"] = "0"

	if o.rows > 0 {
		stack.Env["POSTGRES_SHARED_BUFFERS"] = largeBuffers
	}

	publicKey, es256Token, err := bench.ES256(dir)
	if err != nil {
		return err
	}

	es256 := devstack.Replica{
		Service: "bff",
		Name:    "bff-es256",
		Port:    stack.Ports.BFF + es256PortOffset,
		Env: []string{
			"JWT_ALGORITHM=ES256",
			"JWT_SECRET_KEY=",
			"JWT_PUBLIC_KEY_FILE=" + publicKey,
		},
	}

	stack.Replicas = append(stack.Replicas, es256)
	defer func() {
		_ = stack.Clean(context.WithoutCancel(ctx))
	}()

	if err := stack.Up(ctx); err != nil {
		return err
	}

	hs256Token, err := stack.Token(ctx, "-user", "user123", "-roles", "partner")
	if err != nil {
		return err
	}

	say := func(format string, args ...any) { fmt.Printf(format+"\n", args...) }

	b, err := newBenches(ctx, stack, dir, say)
	if err != nil {
		return err
	}
	defer b.close()

	b.commands = map[string]bench.Commands{
		"HS256": {
			Addr:  address(stack.Ports.BFF),
			Token: hs256Token,
		},
		"ES256": {Addr: address(es256.Port), Token: es256Token},
	}

	return b.measure(ctx, o, report, only, say)
}

// wholeStage is the name of the whole path for -only.
const wholeStage = "whole"

// largeBuffers hold the index by user of 30 million events; without them every event reads a page
// of it from the disk.
const largeBuffers = "2GB"

// es256PortOffset keeps the second bff away from the private stack's other ports, which are
// consecutive.
const es256PortOffset = 100

func address(port int) string { return fmt.Sprintf("127.0.0.1:%d", port) }

func (b *benches) measure(
	ctx context.Context,
	o options,
	report *bench.Report,
	only *regexp.Regexp,
	say func(string, ...any),
) (err error) {
	say("warming up")

	if err := b.warmUp(ctx, o.warm); err != nil {
		return err
	}

	measures := b.chosen(o, only)
	if report.Rates, err = bench.Rounds(ctx, o.rounds, measures, say); err != nil {
		return err
	}

	if o.rows > 0 {
		if err := b.grow(ctx, o, report, measures, say); err != nil {
			return err
		}
	}

	for _, stage := range b.stages() {
		if !only.MatchString(stage.name) {
			continue
		}

		say("%s", stage.name)

		if err := stage.run(ctx, o, report); err != nil {
			return fmt.Errorf("%s: %w", stage.name, err)
		}
	}

	return nil
}

// chosen returns the measures whose names -only selects.
func (b *benches) chosen(o options, only *regexp.Regexp) []bench.Measure {
	return slices.DeleteFunc(
		b.measures(o),
		func(m bench.Measure) bool { return !only.MatchString(m.Name) },
	)
}

// names returns the names of the measures and stages that -only selects, as regular expressions.
func (b *benches) names(o options, only *regexp.Regexp) []string {
	var names []string
	for _, m := range b.chosen(o, only) {
		names = append(names, regexp.QuoteMeta(m.Name))
	}

	for _, s := range b.stages() {
		if only.MatchString(s.name) {
			names = append(names, s.name)
		}
	}

	return names
}

// grow fills the log and measures the intake again: how much of its ratios is left in a log of that
// many rows.
func (b *benches) grow(
	ctx context.Context,
	o options,
	report *bench.Report,
	measures []bench.Measure,
	say func(string, ...any),
) error {
	say("filling the log with %d rows", o.rows)

	if err := b.pipeline.Grow(ctx, o.rows); err != nil {
		return err
	}

	intake := slices.DeleteFunc(
		slices.Clone(measures),
		func(m bench.Measure) bool { return !slices.Contains([]string{b1, b2, single, hundred}, m.Name) },
	)

	large, err := bench.Rounds(ctx, o.rounds, intake, say)
	if err != nil {
		return err
	}

	grown := bench.Report{Rates: large}
	for _, m := range []struct{ name, per string }{{single, b1}, {hundred, b2}} {
		if small := report.Ratio(m.name, m.per); small > 0 {
			report.Add(
				m.name+", of its ratio when the log was small",
				grown.Ratio(m.name, m.per)/small,
				"",
				"≥ 0.8",
			)
		}
	}

	for _, m := range large {
		m.Name += fmt.Sprintf(", after %d rows", o.rows)
		report.Rates = append(report.Rates, m)
	}

	return nil
}

// warmUp drives broker, databases and services, half of the time each by publishing and by events.
// After a checkpoint the databases write their logs into recycled files, like a server that is not
// new.
func (b *benches) warmUp(ctx context.Context, length time.Duration) error {
	if _, err := b.base.Publish(ctx, length/2, bench.Properties()); err != nil {
		return err
	}

	if _, err := b.load.Closed(ctx, length/2, 64, 1); err != nil {
		return err
	}

	if err := b.pipeline.Drain(ctx); err != nil {
		return err
	}

	for _, pool := range []*pgxpool.Pool{b.tracking, b.commission} {
		if _, err := pool.Exec(ctx, `CHECKPOINT`); err != nil {
			return err
		}
	}

	return nil
}
