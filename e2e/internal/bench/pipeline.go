package bench

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/apache/pulsar-client-go/pulsaradmin"
	"github.com/apache/pulsar-client-go/pulsaradmin/pkg/utils"
	"github.com/jackc/pgx/v5/pgxpool"

	"tributary/devstack"
)

// Pipeline measures what happens behind the intake: the relay and the consumer. It works on a running private stack.
type Pipeline struct {
	Stack      devstack.Config
	Tracking   *pgxpool.Pool // as the owner
	Commission *pgxpool.Pool // as the owner
	AdminURL   string
	Load       Load
	Say        func(string, ...any)
	grown      int64 // the seq up to which Grow has filled the log
}

// Fill records so many events in batches while nothing else is measured.
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

// Settle waits until everything that was recorded is published and decided.
func (p *Pipeline) Settle(ctx context.Context) error {
	return p.wait(ctx, 10*time.Minute, func() (bool, error) {
		recorded, decided, err := p.counts(ctx)
		return recorded == decided, err
	})
}

// Alone measures tracking while commission is stopped, and lets commission catch up afterwards.
func (p *Pipeline) Alone(ctx context.Context, measure func() (float64, error)) (float64, error) {
	if err := p.Stack.Stop(ctx, "commission"); err != nil {
		return 0, err
	}
	rate, err := measure()
	if err != nil {
		return 0, err
	}
	if err := p.Stack.Start(ctx, "commission"); err != nil {
		return 0, err
	}
	return rate, p.Settle(ctx)
}

// Relay is the rate at which the relay drains a backlog: the broker is stopped while events are recorded, then started, and the time counts from
// the first event that it confirms.
func (p *Pipeline) Relay(ctx context.Context, events int) (float64, error) {
	if err := p.Stack.Stop(ctx, "commission"); err != nil {
		return 0, err
	}
	if err := p.Stack.Stop(ctx, "pulsar"); err != nil {
		return 0, err
	}
	if err := p.Fill(ctx, events); err != nil {
		return 0, err
	}
	from, err := p.number(ctx, p.Tracking, `SELECT pos FROM relay`)
	if err != nil {
		return 0, err
	}
	to, err := p.number(ctx, p.Tracking, `SELECT max(seq) FROM events`)
	if err != nil {
		return 0, err
	}
	if err := p.Stack.Start(ctx, "pulsar"); err != nil {
		return 0, err
	}
	return p.climb(ctx, p.Tracking, `SELECT pos FROM relay`, from, to)
}

// CatchUp is the rate at which a consumer that was away decides what it missed. It follows Relay, which has left commission stopped
// and the topic full.
func (p *Pipeline) CatchUp(ctx context.Context) (float64, error) {
	from, err := p.number(ctx, p.Commission, `SELECT count(*) FROM decisions`)
	if err != nil {
		return 0, err
	}
	to, err := p.recorded(ctx)
	if err != nil {
		return 0, err
	}
	if err := p.Stack.Start(ctx, "commission"); err != nil {
		return 0, err
	}
	return p.climb(ctx, p.Commission, `SELECT count(*) FROM decisions`, from, to)
}

// Duplicates is the rate at which the consumer lets pass what it has decided before: the subscription is set back to the beginning.
func (p *Pipeline) Duplicates(ctx context.Context, topic string) (float64, error) {
	if err := p.Stack.Stop(ctx, "commission"); err != nil {
		return 0, err
	}
	admin, err := pulsaradmin.NewClient(&pulsaradmin.Config{WebServiceURL: p.AdminURL})
	if err != nil {
		return 0, err
	}
	name, err := utils.GetTopicName(topic)
	if err != nil {
		return 0, err
	}
	const beginning = 1 // milliseconds since 1970; a partitioned topic takes no other position
	if err := admin.Subscriptions().ResetCursorToTimestampWithContext(ctx, *name, "commission", beginning); err != nil {
		return 0, err
	}
	backlog := func() (int64, error) {
		stats, err := admin.Topics().GetPartitionedStats(*name, false)
		return stats.Subscriptions["commission"].MsgBacklog, err
	}
	if err := p.Stack.Start(ctx, "commission"); err != nil {
		return 0, err
	}
	begin := time.Now()
	err = p.wait(ctx, 10*time.Minute, func() (bool, error) {
		left, err := backlog()
		return left == 0, err
	})
	took := time.Since(begin).Seconds()
	if err != nil {
		return 0, err
	}
	consumed, err := p.consumed(ctx) // the broker's own backlog counts batches; the process started at 0
	return consumed / took, err
}

// consumed is how many messages commission has handled since its start, by its metrics.
func (p *Pipeline) consumed(ctx context.Context) (float64, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, p.Stack.URL("commission")+"/metrics", http.NoBody)
	if err != nil {
		return 0, err
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, err
	}
	defer func() { _ = answer.Body.Close() }()
	sum, lines := 0.0, bufio.NewScanner(answer.Body)
	for lines.Scan() {
		if text := lines.Text(); strings.HasPrefix(text, "broker_messages_total{") && strings.Contains(text, `"consumed"`) && strings.Contains(text, "tracking-events") {
			n, err := strconv.ParseFloat(text[strings.LastIndexByte(text, ' ')+1:], 64)
			if err != nil {
				return 0, err
			}
			sum += n
		}
	}
	return sum, lines.Err()
}

// Sustained posts at a fixed rate for some time and tells how far the decisions were behind, second by second.
func (p *Pipeline) Sustained(ctx context.Context, length time.Duration, rate float64) (lags []int64, drained time.Duration, err error) {
	done := make(chan error, 1)
	go func() {
		_, err := p.Load.Open(ctx, length, 64, rate)
		done <- err
	}()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case err := <-done:
			if err != nil {
				return nil, 0, err
			}
			begin := time.Now()
			err = p.Settle(ctx)
			return lags, time.Since(begin), err
		case <-tick.C:
			recorded, decided, err := p.counts(ctx)
			if err != nil {
				return nil, 0, err
			}
			lags = append(lags, recorded-decided)
		}
	}
}

// climb waits until the query gives to, and returns the rate from the first change on.
func (p *Pipeline) climb(ctx context.Context, pool *pgxpool.Pool, query string, from, to int64) (float64, error) {
	first, begin := from, time.Now()
	err := p.wait(ctx, 10*time.Minute, func() (bool, error) {
		n, err := p.number(ctx, pool, query)
		if n == from {
			first, begin = n, time.Now()
		}
		return n >= to, err
	})
	return float64(to-first) / time.Since(begin).Seconds(), err
}

func (p *Pipeline) counts(ctx context.Context) (recorded, decided int64, err error) {
	if decided, err = p.number(ctx, p.Commission, `SELECT count(*) FROM decisions`); err != nil {
		return 0, 0, err
	}
	recorded, err = p.recorded(ctx)
	return recorded, decided, err
}

func (p *Pipeline) recorded(ctx context.Context) (int64, error) {
	var n int64
	err := p.Tracking.QueryRow(ctx, `SELECT count(*) FROM events WHERE seq > $1`, p.grown).Scan(&n)
	return n, err
}

func (p *Pipeline) number(ctx context.Context, pool *pgxpool.Pool, query string) (int64, error) {
	var n int64
	err := pool.QueryRow(ctx, query).Scan(&n)
	return n, err
}

func (p *Pipeline) wait(ctx context.Context, limit time.Duration, condition func() (bool, error)) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		ok, err := condition()
		if err != nil || ok {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}
