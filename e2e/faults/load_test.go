package faults_test

import (
	"context"
	"fmt"
	"maps"
	"sync"
	"testing"
	"time"

	"tributary/e2e/stacktest"
)

const pause = 10 * time.Millisecond // between the requests of a worker

// client is a careful client: it sends one request after the other, and repeats a request with the
// same id until it is acknowledged.
type client struct {
	send func(ctx context.Context, id string) (stacktest.Answer, error)

	stop context.CancelFunc
	wait sync.WaitGroup

	mu           sync.Mutex
	acknowledged map[string]stacktest.Answer
	refused      map[int]int // answers that were not 2xx, by status; 0: no answer
}

// run starts a number of workers. They end with stopped, each only when its last request is
// acknowledged.
func run(
	t *testing.T,
	workers int,
	send func(ctx context.Context, id string) (stacktest.Answer, error),
) *client {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())

	c := &client{
		send:         send,
		stop:         stop,
		acknowledged: map[string]stacktest.Answer{},
		refused:      map[int]int{},
	}
	for range workers {
		c.wait.Go(func() { c.work(ctx, t.Context()) })
	}

	t.Cleanup(c.stopped)

	return c
}

// work sends until ctx ends; hard also ends repeating.
func (c *client) work(ctx, hard context.Context) {
	tick := time.NewTicker(pause)
	defer tick.Stop()

	for ctx.Err() == nil {
		for id := stacktest.Unique("id"); !c.once(hard, id) && hard.Err() == nil; {
			<-tick.C
		}

		<-tick.C
	}
}

// once reports whether the request was acknowledged.
func (c *client) once(ctx context.Context, id string) bool {
	answer, err := c.send(ctx, id)
	if ctx.Err() != nil {
		return false
	}

	c.mu.Lock()
	defer c.mu.Unlock()

	if err == nil && answer.Status/100 == 2 {
		c.acknowledged[id] = answer
		return true
	}

	c.refused[answer.Status]++

	return false
}

func (c *client) stopped() {
	c.stop()
	c.wait.Wait()
}

func (c *client) count() int {
	c.mu.Lock()
	defer c.mu.Unlock()

	return len(c.acknowledged)
}

func (c *client) refusals() map[int]int {
	c.mu.Lock()
	defer c.mu.Unlock()

	return maps.Clone(c.refused)
}

// goesOn waits until the client has received the given number of further acknowledgements.
func (c *client) goesOn(t *testing.T, more int) {
	t.Helper()
	from := c.count()
	stacktest.Await(
		t,
		stacktest.Patience,
		fmt.Sprintf("%d more acknowledgements", more),
		func(context.Context) error {
			if got := c.count() - from; got < more {
				return fmt.Errorf("only %d; refused so far, by status: %v", got, c.refusals())
			}

			return nil
		},
	)
}

// purchases sends purchases of 10.00 by one user; each earns 1.00.
func purchases(t *testing.T, user string) *client {
	t.Helper()

	return run(t, 4, func(ctx context.Context, id string) (stacktest.Answer, error) {
		return stacktest.Send(ctx, stacktest.Request{
			URL:  stack.Tracking + "/api/v1/tracking/events",
			Body: `{"event_id": "` + id + `", "user_id": "` + user + `", "event_type": "purchase", "metadata": {"amount": 10.00}}`,
		})
	})
}

// checkDecided stops the client and checks that every acknowledged event becomes exactly one
// decision and one commission of 1.00.
func checkDecided(t *testing.T, user string, c *client) {
	t.Helper()
	c.stopped()
	want := c.acknowledged
	took := stacktest.Await(
		t,
		stacktest.Patience,
		"all decisions",
		func(ctx context.Context) error {
			n, err := stacktest.Count(
				ctx,
				stack.CommissionDB,
				"SELECT count(*) FROM decisions WHERE user_id = $1",
				user,
			)
			if err == nil && n < int64(len(want)) {
				err = fmt.Errorf("%d of %d", n, len(want))
			}

			return err
		},
	)
	earned, rows := map[string]int{}, 0

	sum := int64(0)
	for _, row := range commissions(t, user) {
		earned[row.EventID]++
		rows++
		sum += row.AmountMinor
	}

	for id := range want {
		if earned[id] != 1 {
			t.Errorf("acknowledged event %s has %d commissions, want 1", id, earned[id])
		}
	}

	stored, err := stacktest.Count(
		t.Context(),
		stack.TrackingDB,
		"SELECT count(*) FROM events WHERE user_id = $1",
		user,
	)
	if err != nil {
		t.Fatal(err)
	}

	if rows != len(want) || stored != int64(len(want)) || sum != int64(len(want))*100 {
		t.Errorf(
			"%d acknowledged, %d stored, %d commissions that sum to %d; want all alike and a sum of %d",
			len(want),
			stored,
			rows,
			sum,
			len(want)*100,
		)
	}

	t.Logf(
		"%d events acknowledged, each decided once; refused on the way, by status: %v; the last "+
			"decision came %s after the load",
		len(want),
		c.refusals(),
		took.Round(time.Millisecond),
	)
}

type commissionRow struct {
	EventID     string `json:"event_id"`
	AmountMinor int64  `json:"amount_minor"`
}

// commissions reads all pages of a user.
func commissions(t *testing.T, user string) []commissionRow {
	t.Helper()

	var all []commissionRow
	for query := "?limit=1000&user_id=" + user; ; {
		var page struct {
			Data       []commissionRow `json:"data"`
			HasMore    bool            `json:"has_more"`
			NextCursor string          `json:"next_cursor"`
		}
		stacktest.Want(
			t,
			200,
			stacktest.Request{URL: stack.Commission + "/api/v1/commission/commissions" + query},
			&page,
		)

		all = append(all, page.Data...)
		if !page.HasMore {
			return all
		}

		query = "?limit=1000&user_id=" + user + "&cursor=" + page.NextCursor
	}
}

// notReady waits until the service's /readyz is 503 and names the dependency.
func notReady(t *testing.T, url, dependency string) {
	t.Helper()
	took := stacktest.Await(
		t,
		10*time.Second,
		url+"/readyz to name "+dependency,
		func(ctx context.Context) error {
			answer, err := stacktest.Send(ctx, stacktest.Request{URL: url + "/readyz"})
			if err != nil {
				return err
			}

			if answer.Status != 503 {
				return fmt.Errorf("answers %d", answer.Status)
			}

			p := answer.Problem(t)
			for _, f := range p.Errors {
				if f.Field == dependency && p.Code == "not_ready" &&
					answer.Header.Get("Retry-After") != "" {
					return nil
				}
			}

			return fmt.Errorf("answers %s", answer.Body)
		},
	)
	t.Logf("%s/readyz named %s after %s", url, dependency, took.Round(time.Millisecond))
}

// ready waits until /readyz is 200 again.
func ready(t *testing.T, url string, within time.Duration) {
	t.Helper()
	took := stacktest.Await(t, within, url+"/readyz to be 200", func(ctx context.Context) error {
		answer, err := stacktest.Send(ctx, stacktest.Request{URL: url + "/readyz"})
		if err != nil {
			return err
		}

		if answer.Status != 200 {
			return fmt.Errorf("answers %d %s", answer.Status, answer.Body)
		}

		return nil
	})
	t.Logf("%s/readyz was 200 again after %s", url, took.Round(time.Millisecond))
}

// stop ends a process of the stack and restarts it at the end of the test.
func stop(t *testing.T, end func(context.Context, string) error, name string) {
	t.Helper()

	if err := end(t.Context(), name); err != nil {
		t.Fatal(err)
	}

	t.Cleanup(func() {
		if err := stack.Parts.Start(context.WithoutCancel(t.Context()), name); err != nil {
			t.Error(err)
		}
	})
}

// start restarts the process and returns when it is ready.
func start(t *testing.T, name string) {
	t.Helper()

	if err := stack.Parts.Start(t.Context(), name); err != nil {
		t.Fatal(err)
	}
}
