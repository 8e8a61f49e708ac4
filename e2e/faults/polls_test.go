package faults_test

import (
	"context"
	"math/big"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"tributary/e2e/stacktest"
)

// Ten thousand requests ask for events that do not come, a thousand of them at any time. Commission
// lets as many wait as it has room for and tells the others when to ask again; its memory stays
// within its bound.
//
//nolint:paralleltest // it fills the service that all tests share
func TestTenThousandLongPolls(t *testing.T) {
	const (
		polls    = 10_000
		atOnce   = 1000
		partners = 100
		bound    = 150 << 20
	)

	urls := make([]stacktest.Request, partners)
	for i := range urls {
		urls[i] = stacktest.Request{
			URL:   stack.Commission + "/api/v1/commission/events?wait=10s",
			Token: stack.Token(t, stacktest.Unique("waits")),
		}
	}

	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()

	var (
		asked   sync.WaitGroup
		mu      sync.Mutex
		answers = map[int]int{}
		peak    int64
	)

	asks := make(chan int, polls)
	for i := range polls {
		asks <- i
	}

	close(asks)

	ask := func() {
		for i := range asks {
			answer, err := stacktest.Send(ctx, urls[i%partners])

			mu.Lock()
			answers[answer.Status]++
			mu.Unlock()

			switch {
			case err != nil:
				t.Errorf("no answer: %v", err)
			case answer.Status == http.StatusOK:
			case answer.Status != http.StatusServiceUnavailable,
				answer.Problem(t).Code != "feed_no_room",
				answer.Header.Get("Retry-After") == "":
				t.Errorf("%d %v %s", answer.Status, answer.Header, answer.Body)
			}
		}
	}

	for range atOnce {
		asked.Go(ask)
	}

	done := make(chan struct{})
	go func() { asked.Wait(); close(done) }()

	for tick := time.NewTicker(200 * time.Millisecond); ; {
		select {
		case <-tick.C:
			peak = max(peak, residentMemory(ctx, t))
			continue
		case <-done:
		}

		tick.Stop()

		break
	}

	t.Logf("answers by status: %v; resident memory at most %d MiB", answers, peak>>20)

	if peak > bound || peak == 0 {
		t.Errorf("resident memory of %d MiB, want at most %d", peak>>20, bound>>20)
	}

	if answers[http.StatusOK] == 0 || answers[http.StatusServiceUnavailable] == 0 {
		t.Errorf("answers by status: %v, want some that waited, and some without room", answers)
	}
}

// residentMemory returns the memory of commission in bytes.
func residentMemory(ctx context.Context, t *testing.T) int64 {
	t.Helper()

	answer, err := stacktest.Send(ctx, stacktest.Request{URL: stack.Commission + "/metrics"})
	if err != nil {
		t.Errorf("metrics: %v", err)
		return 0
	}

	for line := range strings.Lines(answer.Body) {
		text, found := strings.CutPrefix(line, "process_resident_memory_bytes ")
		if !found {
			continue
		}

		bytes, ok := new(big.Rat).SetString(strings.TrimSpace(text)) // such as 1.2e+08
		if !ok {
			t.Fatalf("process_resident_memory_bytes is %q", text)
		}

		return bytes.Num().Int64()
	}

	return 0
}
