package main

import (
	"context"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"tributary/devstack"
	"tributary/e2e/internal/bench"
)

// benches are the connections of the measures.
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
	dir string,
	say func(string, ...any),
) (*benches, error) {
	// same server, another database
	beside := strings.Replace(stack.TrackingDatabaseURL(), "/trackingdb", "/postgres", 1)
	b := &benches{
		stack: stack,
		peers: &bench.Peers{Dir: dir, DatabaseURL: beside, PulsarURL: stack.PulsarURL()},
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

// measures returns the measures of every round, in rotating order. Intake, with the relay at work,
// and consumption are each measured while the other services are stopped, as on a machine of their
// own. After each of ours the pipeline drains, so that it does not affect a baseline.
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
			Run:  peer(b.peers.Measure("watermill"), 256),
		},
		{
			Name: "Watermill forwarder to Pulsar",
			Per:  []bench.Per{per(b4, "")},
			Run:  peer(b.peers.Measure("forward"), 1),
		},
		{
			Name: "River Insert, 256 goroutines",
			Per:  []bench.Per{per(b1, "")},
			Run:  peer(b.peers.Measure("river"), 256),
		},
		{
			Name: "River InsertMany of 100, 16 goroutines",
			Per:  []bench.Per{per(b2, "")},
			Run:  peer(b.peers.Measure("river-many"), 16),
		},
	}
}
