package bench

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/apache/pulsar-client-go/pulsaradmin"
	"github.com/apache/pulsar-client-go/pulsaradmin/pkg/utils"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"tributary/devstack"
)

// Pipeline measures the stages after the intake: the relay and the consumer. It works on a running
// private stack.
type Pipeline struct {
	Stack      devstack.Config
	Tracking   *pgxpool.Pool // as the owner
	Commission *pgxpool.Pool // as the owner
	AdminURL   string
	Load       Load
	Meter      Meter
	Services   []string // by name
	Say        func(string, ...any)
	grown      int64 // the seq up to which Grow has filled the log
	before     int64 // the number of events decided by then
}

// Fill records a number of events in batches while nothing else is measured.
func (p *Pipeline) Fill(ctx context.Context, events int) error {
	const size = 500

	c, err := dial(ctx, p.Load.Addr)
	if err != nil {
		return err
	}

	defer func() { _ = c.conn.Close() }()

	for n := 0; n < events; n += size {
		status, err := c.post(eventsPath+"/batch", "", p.Load.batch(size, n))
		if err != nil || status != 200 {
			return fmt.Errorf("fill: status %d: %w", status, err)
		}
	}

	return nil
}

// Drain waits until every recorded event is published and decided. It counts rows only when the
// broker has none left: counting takes long once there are many.
func (p *Pipeline) Drain(ctx context.Context) error {
	return p.wait(ctx, 50*time.Millisecond, func() (bool, error) {
		unpublished, err := p.unpublished(ctx)
		if err != nil || unpublished > 0 {
			return false, err
		}

		backlog, err := p.backlog()
		if err != nil || backlog > 0 {
			return false, err
		}

		recorded, err := p.number(ctx, p.Tracking, fmt.Sprintf(`SELECT count(*) FROM events
    WHERE seq > %d`, p.grown))
		if err != nil {
			return false, err
		}

		decided, err := p.number(ctx, p.Commission, `SELECT count(*) FROM decisions`)

		return recorded == decided-p.before, err
	})
}

// Alone measures one service while the others are stopped, as on a machine of its own, and lets
// commission catch up afterwards.
func (p *Pipeline) Alone(
	ctx context.Context,
	service string,
	measure func(context.Context) (Done, error),
) (Done, error) {
	others := slices.DeleteFunc(
		slices.Clone(p.Services),
		func(name string) bool { return name == service },
	)
	for _, name := range others {
		if err := p.Stack.Stop(ctx, name); err != nil {
			return Done{}, err
		}
	}

	done, err := measure(ctx)
	if err != nil {
		return Done{}, err
	}

	for _, name := range others {
		if err := p.Stack.Start(ctx, name); err != nil {
			return Done{}, err
		}
	}

	return done, p.Drain(ctx)
}

// Relay returns the rate at which the relay drains a backlog: another holder keeps its lease while
// events are recorded and then releases it, and the time counts from the first event that the
// broker confirms. Commission stays stopped.
func (p *Pipeline) Relay(ctx context.Context, events int) (Done, error) {
	if err := p.Stack.Stop(ctx, commission); err != nil {
		return Done{}, err
	}

	if _, err := p.Tracking.Exec(ctx, `UPDATE relay SET holder = 'bench',
    expires_at = now() + interval '1 hour'`); err != nil {
		return Done{}, err
	}

	if err := p.Fill(ctx, events); err != nil {
		return Done{}, err
	}

	from, err := p.number(ctx, p.Tracking, `SELECT pos FROM relay`)
	if err != nil {
		return Done{}, err
	}

	to, err := p.number(ctx, p.Tracking, `SELECT max(seq) FROM events`)
	if err != nil {
		return Done{}, err
	}

	if _, err := p.Tracking.Exec(ctx, `UPDATE relay SET expires_at = '-infinity'`); err != nil {
		return Done{}, err
	}

	return p.climb(ctx, p.Tracking, `SELECT pos FROM relay`, from, to)
}

const commission = "commission" // the service, and its subscription

// CatchUp returns the rate at which commission decides what it missed while it was stopped: what
// Relay has left, or else a number of new events.
func (p *Pipeline) CatchUp(ctx context.Context, events int) (Done, error) {
	if err := p.Stack.Stop(ctx, commission); err != nil {
		return Done{}, err
	}

	left, err := p.backlog()
	if err != nil {
		return Done{}, err
	}

	if left == 0 {
		if err := p.Fill(ctx, events); err != nil {
			return Done{}, err
		}

		if err := p.wait(ctx, 50*time.Millisecond, func() (bool, error) {
			left, err := p.unpublished(ctx)
			return left == 0, err
		}); err != nil {
			return Done{}, err
		}
	}

	return p.Alone(ctx, commission, p.decide)
}

// Duplicates returns the rate at which the consumer skips decided events: the subscription is reset
// to the beginning.
func (p *Pipeline) Duplicates(ctx context.Context) (Done, error) {
	if err := p.Stack.Stop(ctx, commission); err != nil {
		return Done{}, err
	}

	admin, topic, err := p.admin()
	if err != nil {
		return Done{}, err
	}

	const beginning = 1 // milliseconds since 1970; a partitioned topic accepts no other position
	if err := admin.Subscriptions().ResetCursorToTimestampWithContext(
		ctx,
		*topic,
		commission,
		beginning,
	); err != nil {
		return Done{}, err
	}

	return p.Alone(ctx, commission, p.decide)
}

// decide starts commission and waits until the broker has nothing left for it, which is checked
// only when commission's own count of handled events stops. The time counts from the first message
// to the last.
func (p *Pipeline) decide(ctx context.Context) (Done, error) {
	if err := p.Stack.Start(ctx, commission); err != nil {
		return Done{}, err
	}

	begin := time.Now()
	end := time.Now()
	before := p.Meter.usage()
	first := 0.0
	last := 0.0
	err := p.wait(ctx, 200*time.Millisecond, func() (bool, error) {
		n, err := metric(
			ctx,
			p.Stack.URL(commission),
			"broker_messages_total",
			`"consumed"`,
			"tracking-events",
		)
		switch {
		case err != nil:
			return false, err
		case first == 0:
			begin = time.Now()
			before = p.Meter.usage()
			first = n
		case n > last:
			end = time.Now()
		case n > 0:
			left, err := p.backlog()
			return left == 0, err
		}

		last = n

		return false, nil
	})
	done := Done{Events: int(last - first), Took: end.Sub(begin)}
	done.CPU = p.Meter.since(before, done.Events)

	return done, err
}

func (p *Pipeline) admin() (pulsaradmin.Client, *utils.TopicName, error) {
	admin, err := pulsaradmin.NewClient(&pulsaradmin.Config{WebServiceURL: p.AdminURL})
	if err != nil {
		return nil, nil, err
	}

	topic, err := utils.GetTopicName("persistent://public/default/tracking-events")

	return admin, topic, err
}

// backlog returns how much the broker holds for commission. It counts batches.
func (p *Pipeline) backlog() (int64, error) {
	admin, topic, err := p.admin()
	if err != nil {
		return 0, err
	}

	stats, err := admin.Topics().GetPartitionedStats(*topic, false)

	return stats.Subscriptions[commission].MsgBacklog, err
}

// Sustained posts single events at a fixed rate for some time. It returns how many events the
// decisions were behind, second by second, and how long each event took from its receipt to its
// decision.
func (p *Pipeline) Sustained(
	ctx context.Context,
	length time.Duration,
	rate float64,
) (behind []int64, lags []time.Duration, err error) {
	done, from := make(chan error, 1), time.Now()

	recorded, decided, err := p.counters(ctx)
	if err != nil {
		return nil, nil, err
	}

	go func() {
		_, err := p.Load.Open(ctx, length, 64, rate)
		done <- err
	}()

	tick := time.NewTicker(time.Second)
	defer tick.Stop()

	for {
		select {
		case err := <-done:
			if err == nil {
				err = p.Drain(ctx)
			}

			if err != nil {
				return nil, nil, err
			}

			lags, err = p.lags(ctx, from)

			return behind, lags, err
		case <-tick.C:
			r, d, err := p.counters(ctx)
			if err != nil {
				return nil, nil, err
			}

			behind = append(behind, int64((r-recorded)-(d-decided)))
		}
	}
}

func (p *Pipeline) counters(ctx context.Context) (recorded, decided float64, err error) {
	return counters(ctx, p.Stack.URL("tracking"), p.Stack.URL(commission))
}

// lags returns the times from receipt to decision of what was decided since. Both clocks are this
// machine's.
func (p *Pipeline) lags(ctx context.Context, from time.Time) ([]time.Duration, error) {
	rows, err := p.Commission.Query(ctx, `SELECT decided_at - received_at FROM decisions
    WHERE decided_at >= $1`, from)
	if err != nil {
		return nil, err
	}

	return pgx.CollectRows(rows, pgx.RowTo[time.Duration])
}

// climb waits until the query returns to, and counts from the first change on.
func (p *Pipeline) climb(
	ctx context.Context,
	pool *pgxpool.Pool,
	query string,
	from, to int64,
) (Done, error) {
	first := from
	begin := time.Now()
	before := p.Meter.usage()
	err := p.wait(ctx, 50*time.Millisecond, func() (bool, error) {
		n, err := p.number(ctx, pool, query)
		if n == from {
			first = n
			begin = time.Now()
			before = p.Meter.usage()
		}

		return n >= to, err
	})
	done := Done{Events: int(to - first), Took: time.Since(begin)}
	done.CPU = p.Meter.since(before, done.Events)

	return done, err
}

func (p *Pipeline) number(ctx context.Context, pool *pgxpool.Pool, query string) (int64, error) {
	var n int64
	err := pool.QueryRow(ctx, query).Scan(&n)

	return n, err
}

// patience is how long anything may take: minutes of events at full speed must be decided after an
// outage.
const patience = 30 * time.Minute

func (p *Pipeline) wait(
	ctx context.Context,
	pause time.Duration,
	condition func() (bool, error),
) error {
	return await(ctx, patience, pause, condition)
}
