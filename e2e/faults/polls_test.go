package faults_test

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"tributary/devstack"
	"tributary/e2e/internal/bench"
	"tributary/e2e/stacktest"
)

// Ten thousand requests ask in one instant for events that do not come. Commission lets as many
// wait as it has room for and tells the others when to ask again; its memory stays within its
// bound.
//
//nolint:paralleltest // it fills the service that all tests share
func TestTenThousandLongPolls(t *testing.T) {
	const (
		polls = 10_000
		users = 100
		bound = 150 // MiB
	)

	urls := make([]stacktest.Request, users)
	for i := range urls {
		urls[i] = stacktest.Request{
			URL: stack.Commission + "/api/v1/commission/events?wait=5s&user_id=" +
				stacktest.Unique("waits"),
		}
	}

	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()

	var (
		asked   sync.WaitGroup
		mu      sync.Mutex
		answers = map[int]int{}
	)

	ask := func(r stacktest.Request) {
		answer, err := stacktest.Send(ctx, r)

		mu.Lock()
		answers[answer.Status]++
		mu.Unlock()

		switch {
		case err != nil:
			t.Errorf("no answer: %v", err)
		case answer.Status == http.StatusOK && strings.Contains(answer.Body, `"data":[]`):
		case answer.Status != http.StatusServiceUnavailable,
			answer.Problem(t).Code != "feed_no_room",
			answer.Header.Get("Retry-After") == "":
			t.Errorf("%d %v %s", answer.Status, answer.Header, answer.Body)
		}
	}

	parts, ok := stack.Parts.(devstack.Config)
	if !ok {
		t.Fatal("the stack of another process")
	}

	pid, _ := parts.PID("commission")
	if err := bench.ForgetPeak(pid); err != nil {
		t.Fatal(err)
	}

	instant := make(chan struct{})
	for i := range polls {
		asked.Go(func() { <-instant; ask(urls[i%users]) })
	}

	close(instant)

	asked.Wait()

	peak := bench.PeakMemory(pid)
	t.Logf("answers by status: %v; resident memory at most %.0f MiB", answers, peak)

	if peak > bound || peak == 0 {
		t.Errorf("resident memory of %.0f MiB, want at most %d", peak, bound)
	}

	if answers[http.StatusOK] == 0 || answers[http.StatusServiceUnavailable] == 0 {
		t.Errorf("answers by status: %v, want some that waited, and some without room", answers)
	}
}
