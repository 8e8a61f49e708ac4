// Command bench measures the whole stack beside what this machine's PostgreSQL and Pulsar can do at
// all, in one run. It starts a private stack with durable settings and removes it at the end.
package main

import (
	"context"
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
	only, json        string
}

func run(ctx context.Context, args []string) (err error) {
	var o options
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.IntVar(&o.rounds, "rounds", 3, "how often each figure is taken")
	flags.DurationVar(
		&o.warm,
		"warm",
		30*time.Second,
		"how long everything is driven first, so that nobody's compiler is measured",
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
		"how long the broker is away while events come in",
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
		"a regular expression: only the measures and stages that it finds; stages are cost, "+
			"latency, outage, sustained, lists, memory",
	)
	flags.StringVar(&o.json, "json", "bench.json", "where the report is written as JSON")

	if err := flags.Parse(args); err != nil {
		return err
	}

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

	return measure(ctx, stack, o, map[string]bench.Commands{
		"HS256": {
			Addr:  address(stack.Ports.BFF),
			Token: hs256Token,
		},
		"ES256": {Addr: address(es256.Port), Token: es256Token},
	})
}

// largeBuffers hold the index by user of 30 million events; without, every event reads a page of it
// from the disk.
const largeBuffers = "2GB"

// es256PortOffset keeps the second bff away from the private stack's other ports, which follow each
// other.
const es256PortOffset = 100

func address(port int) string { return fmt.Sprintf("127.0.0.1:%d", port) }

func measure(
	ctx context.Context,
	stack devstack.Config,
	o options,
	commands map[string]bench.Commands,
) error {
	say := func(format string, args ...any) { fmt.Printf(format+"\n", args...) }

	b, err := newBenches(ctx, stack, say)
	if err != nil {
		return err
	}
	defer b.close()
	b.commands = commands

	only, err := regexp.Compile(o.only)
	if err != nil {
		return err
	}

	report := bench.Report{
		Machine: fmt.Sprintf("%d cores, %s", runtime.NumCPU(), runtime.Version()),
		Rounds:  o.rounds,
		Rows:    o.rows,
	}
	say("warming up")

	if err := b.warmUp(ctx, o.warm); err != nil {
		return err
	}

	measures := slices.DeleteFunc(
		b.measures(o),
		func(m bench.Measure) bool { return !only.MatchString(m.Name) },
	)
	if report.Rates, err = bench.Rounds(ctx, o.rounds, measures, say); err != nil {
		return err
	}

	if o.rows > 0 {
		if err := b.grow(ctx, o, &report, measures, say); err != nil {
			return err
		}
	}

	for _, stage := range b.stages() {
		if !only.MatchString(stage.name) {
			continue
		}

		say("%s", stage.name)

		if err := stage.run(ctx, o, &report); err != nil {
			return fmt.Errorf("%s: %w", stage.name, err)
		}
	}

	report.Print(os.Stdout)

	return report.Save(o.json)
}

// grow fills the log and measures the intake again: how much of its ratios is left in a log of so
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
// After a checkpoint the databases write their logs into files that they have used before, as a
// server does that is not new.
func (b *benches) warmUp(ctx context.Context, length time.Duration) error {
	if _, err := b.base.Publish(ctx, length/2, bench.Properties()); err != nil {
		return err
	}

	if _, err := b.load.Closed(ctx, length/2, 64, 1); err != nil {
		return err
	}

	if err := b.pipeline.Settle(ctx); err != nil {
		return err
	}

	for _, pool := range []*pgxpool.Pool{b.tracking, b.commission} {
		if _, err := pool.Exec(ctx, `CHECKPOINT`); err != nil {
			return err
		}
	}

	return nil
}

// benches are the connections that the measures work with.
type benches struct {
	stack                devstack.Config
	base                 *bench.Baselines
	peers                *bench.Peers
	tracking, commission *pgxpool.Pool
	pipeline             *bench.Pipeline
	load                 bench.Load
	commands             map[string]bench.Commands // bff by the algorithm of its tokens
}

func newBenches(
	ctx context.Context,
	stack devstack.Config,
	say func(string, ...any),
) (*benches, error) {
	// same server, another database
	beside := strings.Replace(stack.TrackingDatabaseURL(), "/trackingdb", "/postgres", 1)
	b := &benches{
		stack: stack,
		load:  bench.Load{Addr: address(stack.Ports.Tracking), Users: 10_000},
	}

	var err error
	if b.base, err = bench.NewBaselines(
		ctx,
		stack.TrackingDatabaseURL(),
		stack.PulsarURL(),
		b.load,
	); err != nil {
		return nil, err
	}

	if b.peers, err = bench.NewPeers(ctx, beside, stack.PulsarURL()); err != nil {
		return nil, err
	}

	if b.tracking, err = pgxpool.New(ctx, stack.TrackingDatabaseURL()); err != nil {
		return nil, err
	}

	if b.commission, err = pgxpool.New(ctx, stack.CommissionDatabaseURL()); err != nil {
		return nil, err
	}

	b.pipeline = &bench.Pipeline{
		Stack:      stack,
		Tracking:   b.tracking,
		Commission: b.commission,
		AdminURL:   stack.PulsarAdminURL(),
		Load:       b.load,
		Say:        say,
		Services:   []string{"tracking", "commission", "bff", "bff-es256"},
		Meter: bench.Meter{Processes: func() map[string]int {
			pids := map[string]int{}
			for _, name := range stack.Names() {
				if pid, ok := stack.PID(name); ok {
					pids[name] = pid
				}
			}

			return pids
		}},
	}

	return b, nil
}

func (b *benches) close() {
	b.base.Close()
	b.peers.Close()
	b.tracking.Close()
	b.commission.Close()
}

const (
	b1 = "B1: one row a commit, one connection"
	b2 = "B2: 500 rows a commit by unnest, one connection"
	b4 = "B4: batched publishing by the Go client"
	b5 = "B5: bare HTTP handler, 256 connections"

	single  = "single event POST, 256 connections"
	hundred = "100 events a request, 16 connections"
	drain   = "relay draining a backlog"
)

// measures are taken in every round, in rotating order. Intake, with the relay at work, and
// consumption are each measured while the other services are stopped, as on a machine of their own;
// after each of ours the pipeline settles, so that it takes no part in a baseline.
func (b *benches) measures(o options) []bench.Measure {
	type run = func(context.Context) (bench.Done, error)
	metered := func(f run) run {
		return func(ctx context.Context) (bench.Done, error) {
			return b.pipeline.Meter.Around(func() (bench.Done, error) { return f(ctx) })
		}
	}
	timed := func(f func(context.Context, time.Duration) (bench.Done, error)) run {
		return metered(func(ctx context.Context) (bench.Done, error) { return f(ctx, o.length) })
	}
	intake := func(connections, size int) run {
		load := timed(func(ctx context.Context, length time.Duration) (bench.Done, error) {
			return b.load.Closed(ctx, length, connections, size)
		})

		return func(ctx context.Context) (bench.Done, error) {
			return b.pipeline.Alone(ctx, "tracking", load)
		}
	}
	peer := func(f func(context.Context, time.Duration, int) (bench.Done, error), workers int) run {
		return metered(
			func(ctx context.Context) (bench.Done, error) { return f(ctx, o.length, workers) },
		)
	}
	publish := func(properties map[string]string) run {
		return timed(func(ctx context.Context, length time.Duration) (bench.Done, error) {
			return b.base.Publish(ctx, length, properties)
		})
	}
	command := func(algorithm string, connections int) run {
		return timed(func(ctx context.Context, length time.Duration) (bench.Done, error) {
			return b.commands[algorithm].Closed(ctx, length, connections)
		})
	}
	per := func(name, goal string) bench.Per { return bench.Per{Name: name, Goal: goal} }

	return []bench.Measure{
		{Name: b1, Run: timed(b.base.OneRow)},
		{Name: b2, Run: peer(b.base.Batches, 1)},
		{
			Name: "B2 on two connections",
			Per:  []bench.Per{per(b2, "")},
			Run:  peer(b.base.Batches, 2),
		},
		{Name: b4, Run: publish(bench.Properties())},
		{Name: "B4 without the properties", Per: []bench.Per{per(b4, "")}, Run: publish(nil)},
		{Name: b5, Run: timed(func(ctx context.Context, length time.Duration) (bench.Done, error) {
			return bench.BareHTTP(ctx, length, 256)
		})},
		{
			Name: "bff command, HS256, 256 connections",
			Per:  []bench.Per{per(b5, "")},
			Run:  command("HS256", 256),
		},
		{
			Name: "bff command, ES256, 256 connections",
			Per:  []bench.Per{per(b5, "")},
			Run:  command("ES256", 256),
		},
		{
			Name: "bff command, HS256, 1000 connections",
			Per:  []bench.Per{per(b4, "")},
			Run:  command("HS256", 1000),
		},
		{
			Name: single,
			Per:  []bench.Per{per(b1, "≥ 5 × B1"), per(b2, "≥ 0.25 × B2")},
			Run:  intake(256, 1),
		},
		{Name: hundred, Per: []bench.Per{per(b2, "≥ 0.6 × B2")}, Run: intake(16, 100)},
		{
			Name: drain,
			Per:  []bench.Per{per(b4, "≥ 0.4 × B4")},
			Run:  func(ctx context.Context) (bench.Done, error) { return b.pipeline.Relay(ctx, o.backlog) },
		},
		{
			Name: "commission catching up, new events",
			Per:  []bench.Per{per(b2, "≥ 0.5 × B2")},
			Run:  func(ctx context.Context) (bench.Done, error) { return b.pipeline.CatchUp(ctx, o.backlog) },
		},
		{
			Name: "commission catching up, duplicates",
			Per:  []bench.Per{per(b2, "≥ 1.5 × B2")},
			Run:  b.pipeline.Duplicates,
		},
		{
			Name: "Watermill SQL publisher, 256 goroutines",
			Per:  []bench.Per{per(b1, "")},
			Run:  peer(b.peers.Watermill, 256),
		},
		{
			Name: "Watermill forwarder to Pulsar",
			Per:  []bench.Per{per(b4, "")},
			Run:  timed(b.peers.Forward),
		},
		{
			Name: "River Insert, 256 goroutines",
			Per:  []bench.Per{per(b1, "")},
			Run:  peer(b.peers.River, 256),
		},
		{
			Name: "River InsertMany of 100, 16 goroutines",
			Per:  []bench.Per{per(b2, "")},
			Run:  peer(b.peers.RiverMany, 16),
		},
	}
}
