package ingest_test

import (
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"tributary/tracking/internal/application/ingest"
	"tributary/tracking/internal/application/ingest/ingesttest"
	"tributary/tracking/internal/domain/event"
)

const gather = 3 * time.Millisecond

// gathering starts a coalescer that waits for as many events as its last commit had, and lets it
// write a commit of four.
func gathering(
	t *testing.T,
	store *ingesttest.Store,
	writers int,
) (c *ingest.Coalescer, stop func()) {
	t.Helper()
	l := limits()
	l.Gather = gather
	l.GatherRows = l.Rows
	l.Writers = writers
	c, stop = start(t, store, l)
	took(t, c, 0, 4, 0)

	return c, stop
}

// took records events in one request and checks how long it takes.
func took(t *testing.T, c *ingest.Coalescer, from, to int, want time.Duration) {
	t.Helper()

	begin := time.Now()
	if _, err := c.Record(t.Context(), events(t, from, to), nil); err != nil ||
		time.Since(begin) != want {
		t.Errorf(
			"events %d to %d are recorded after %v (%v), want %v",
			from,
			to,
			time.Since(begin),
			err,
			want,
		)
	}
}

func commits(t *testing.T, store *ingesttest.Store, want ...int) {
	t.Helper()

	if got := store.Commits(); !slices.Equal(got, want) {
		t.Errorf("commits of %v events, want %v", got, want)
	}
}

func TestAloneARequestIsWrittenAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := ingesttest.New()
		l := limits()
		l.Gather, l.GatherRows = gather, l.Rows

		c, _ := start(t, store, l)
		for i := range 3 {
			took(t, c, i, i+1, 0)
		}

		commits(t, store, 1, 1, 1)
	})
}

func TestACommitWaitsForAsManyAsTheLastOneHad(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := ingesttest.New()
		c, _ := gathering(t, store, 1)

		var requests sync.WaitGroup
		requests.Go(func() { took(t, c, 10, 11, 2*time.Millisecond) })
		synctest.Wait()
		time.Sleep(2 * time.Millisecond) // in the bubble, so no real time passes

		for i := 11; i < 14; i++ {
			requests.Go(func() { took(t, c, i, i+1, 0) }) // the last of them is the fourth
		}

		requests.Wait()
		took(t, c, 20, 21, gather) // no other request arrives
		took(t, c, 30, 31, 0)      // and no more are expected
		commits(t, store, 4, 4, 1, 1)
	})
}

func TestWhereManyWaitACommitDoesNot(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := ingesttest.New()
		l := limits()
		l.Gather, l.GatherRows = gather, 2
		c, _ := start(t, store, l)
		took(t, c, 0, 4, 0)
		took(t, c, 10, 12, 0) // fewer than four, and as many as it gathers
		took(t, c, 20, 21, gather)
		commits(t, store, 4, 2, 1)
	})
}

func TestStoppingDoesNotWaitForOthers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := ingesttest.New()
		c, stop := gathering(t, store, 1)

		var requests sync.WaitGroup
		requests.Go(func() { took(t, c, 10, 11, 0) })
		synctest.Wait()
		stop()
		requests.Wait()
		commits(t, store, 4, 1)
	})
}

func TestTwoWritersGather(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := ingesttest.New()
		c, _ := gathering(t, store, 2)

		var requests sync.WaitGroup
		for i := 10; i < 12; i++ { // one writer gathers both, the other finds nothing
			requests.Go(func() { took(t, c, i, i+1, gather) })
		}

		requests.Wait()
		commits(t, store, 4, 2)

		gate := make(chan struct{})
		store.Hook = func(batch []event.Event) error {
			if batch[0].ID() == "20" {
				<-gate
			}

			return nil
		}
		// two, as in the last commit: written at once, and the commit is slow
		requests.Go(func() { took(t, c, 20, 22, gather) })
		synctest.Wait()
		took(t, c, 30, 31, gather) // the other writer waits for two, but not for the first writer
		close(gate)
		requests.Wait()
		commits(t, store, 4, 2, 1, 2)
	})
}
