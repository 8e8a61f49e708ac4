package bench

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Path measures a running stack under the load of its users: every service is on, from the request
// to the stored decision. Both ends are read from the databases afterwards, so that measuring costs
// the processes nothing meanwhile.
type Path struct {
	load       Load
	meter      Meter
	tracking   *pgxpool.Pool // as the owner
	commission *pgxpool.Pool // as the owner
	urls       map[string]string
}

// NewPath returns the path of a running build.
func NewPath(ctx context.Context, b Build) (*Path, error) {
	p := &Path{
		load:  Load{Addr: fmt.Sprintf("127.0.0.1:%d", b.Ports.Tracking), Users: 10_000},
		meter: Meter{Processes: b.Processes},
		urls: map[string]string{
			"tracking":   fmt.Sprintf("http://127.0.0.1:%d", b.Ports.Tracking),
			"commission": fmt.Sprintf("http://127.0.0.1:%d", b.Ports.Commission),
		},
	}

	for _, database := range []struct {
		pool **pgxpool.Pool
		name string
		port int
	}{
		{&p.tracking, "trackingdb", b.Ports.TrackingDB},
		{&p.commission, "commissiondb", b.Ports.CommissionDB},
	} {
		url := fmt.Sprintf("postgres://postgres:postgres@127.0.0.1:%d/%s?sslmode=disable", database.port, database.name)

		var err error
		if *database.pool, err = pgxpool.New(ctx, url); err != nil {
			return nil, err
		}
	}

	return p, nil
}

// Close ends the connections.
func (p *Path) Close() {
	p.tracking.Close()
	p.commission.Close()
}

// Step is one load on the path.
type Step struct {
	Name string
	run  func(ctx context.Context, p *Path, length time.Duration) (int, error)
	// how much longer than others it lasts: a stack that has just started changes meanwhile
	times int
}

// The steps whose figures are compared with those of others.
const (
	FirstSeconds = "single, 256 connections, from the first second"
	AtLimit      = "single, 256 connections, warm"
)

// Steps returns the loads in the order in which a fresh stack meets them.
func Steps() []Step {
	closed := func(connections, size int) func(context.Context, *Path, time.Duration) (int, error) {
		return func(ctx context.Context, p *Path, length time.Duration) (int, error) {
			done, err := p.load.Closed(ctx, length, connections, size)
			return done.Events, err
		}
	}
	open := func(rate float64) func(context.Context, *Path, time.Duration) (int, error) {
		return func(ctx context.Context, p *Path, length time.Duration) (int, error) {
			latencies, err := p.load.Open(ctx, length, 64, rate)
			return len(latencies), err
		}
	}

	return []Step{
		{Name: FirstSeconds, run: closed(256, 1), times: 3},
		{Name: "batches of 100, 16 connections", run: closed(16, 100), times: 1},
		{Name: AtLimit, run: closed(256, 1), times: 1},
		{Name: "single, 5,000 a second", run: open(5000), times: 1},
		{Name: "single, 2,500 a second", run: open(2500), times: 1},
		{Name: "single, 1,000 a second", run: open(1000), times: 1},
	}
}

// StepResult is what was measured in a step. Accepted and Decided are events a second under load.
// The lag, from receipt to decision, and the CPU time, in microseconds an event by process, cover
// the time until everything is decided and its changes are published.
type StepResult struct {
	Accepted float64            `json:"accepted_per_second"`
	Decided  float64            `json:"decided_per_second"`
	P50      time.Duration      `json:"lag_p50"`
	P99      time.Duration      `json:"lag_p99"`
	CPU      map[string]float64 `json:"cpu_microseconds_per_event"`
	Seconds  []int64            `json:"decided_by_second"`
}

// Rate returns the rate of events that were both accepted and decided, in events a second.
func (p StepResult) Rate() float64 { return min(p.Accepted, p.Decided) }

// Usage returns the CPU time of all processes except the load generator, in microseconds an event.
func (p StepResult) Usage() float64 {
	sum := 0.0
	for name, each := range p.CPU {
		if name != loadGenerator {
			sum += each
		}
	}

	return sum
}

// Take drives one step for times the length and waits until everything is decided, and the log of
// changes is published: the next step begins on a stack that has nothing left to do.
func (p *Path) Take(ctx context.Context, step Step, length time.Duration) (StepResult, error) {
	length *= time.Duration(step.times)

	recorded, decided, err := p.counters(ctx)
	if err != nil {
		return StepResult{}, err
	}

	begin := time.Now()
	end := begin

	done, err := p.meter.Around(func() (Done, error) {
		events, err := step.run(ctx, p, length)
		if err != nil {
			return Done{}, err
		}

		end = time.Now()

		return Done{Events: events, Took: end.Sub(begin)}, await(ctx, drainLimit, drainPause, func() (bool, error) {
			r, d, err := p.counters(ctx)
			if err != nil || d-decided < r-recorded {
				return false, err
			}

			return p.published(ctx)
		})
	})
	if err != nil {
		return StepResult{}, err
	}

	found := StepResult{Accepted: done.Rate(), CPU: done.CPU}

	return found, p.look(ctx, begin, end, &found)
}

const (
	drainLimit = 5 * time.Minute
	drainPause = 100 * time.Millisecond
)

func (p *Path) counters(ctx context.Context) (recorded, decided float64, err error) {
	return counters(ctx, p.urls["tracking"], p.urls["commission"])
}

// published reports whether the log of changes is published. Builds before it have none.
func (p *Path) published(ctx context.Context) (all bool, err error) {
	const hasLog = `SELECT to_regclass('commission_events') IS NOT NULL`
	if err = p.commission.QueryRow(ctx, hasLog).Scan(&all); err != nil || !all {
		return true, err
	}

	// by the index from its end: this is asked while the processors' time is measured
	const behind = `
SELECT NOT EXISTS (
    SELECT FROM (SELECT tx, seq FROM commission_events ORDER BY tx DESC, seq DESC LIMIT 1) AS last
    CROSS JOIN relay
    WHERE (last.tx, last.seq) > (relay.tx, relay.seq)
)`

	err = p.commission.QueryRow(ctx, behind).Scan(&all)

	return all, err
}

// look reads the results of the step from the decisions.
func (p *Path) look(ctx context.Context, begin, end time.Time, found *StepResult) error {
	const quantiles = `
SELECT count(*) FILTER (WHERE decided_at < $2),
    coalesce(extract(epoch FROM percentile_disc(0.5) WITHIN GROUP (ORDER BY decided_at - received_at)), 0)::float8,
    coalesce(extract(epoch FROM percentile_disc(0.99) WITHIN GROUP (ORDER BY decided_at - received_at)), 0)::float8
FROM decisions WHERE received_at >= $1`

	var (
		decided  int64
		p50, p99 float64
	)

	row := p.commission.QueryRow(ctx, quantiles, begin, end)
	if err := row.Scan(&decided, &p50, &p99); err != nil {
		return err
	}

	found.Decided = float64(decided) / end.Sub(begin).Seconds()
	found.P50 = time.Duration(p50 * float64(time.Second))
	found.P99 = time.Duration(p99 * float64(time.Second))

	const bySecond = `
SELECT count(d.event_id) FROM generate_series(0, $2::int - 1) AS s
LEFT JOIN decisions AS d ON floor(extract(epoch FROM d.decided_at - $1)) = s AND d.decided_at >= $1
GROUP BY s ORDER BY s`

	rows, err := p.commission.Query(ctx, bySecond, begin, int(end.Sub(begin).Seconds()))
	if err != nil {
		return err
	}

	found.Seconds, err = pgx.CollectRows(rows, pgx.RowTo[int64])

	return err
}

// Age brings the databases into the state of a server that has run for a while: statistics of the
// tables exist, and the write-ahead log uses recycled files.
func (p *Path) Age(ctx context.Context) error {
	for _, pool := range []*pgxpool.Pool{p.tracking, p.commission} {
		for _, statement := range []string{`ANALYZE`, `CHECKPOINT`} {
			if _, err := pool.Exec(ctx, statement); err != nil {
				return err
			}
		}
	}

	return nil
}
