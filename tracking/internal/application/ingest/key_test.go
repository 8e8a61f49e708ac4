package ingest_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"

	"tributary/tracking/internal/application/ingest"
	"tributary/tracking/internal/application/ingest/ingesttest"
	"tributary/tracking/internal/domain/event"
)

// A commit contains whole requests: a key and all of its events.
func TestARequestIsWrittenInOneCommit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := ingesttest.New()
		gate := make(chan struct{})
		store.Hook = func([]event.Event) error { <-gate; return nil }
		c, stop := start(t, store, limits()) // commits of 4

		var requests sync.WaitGroup
		for i, size := range []int{1, 3, 3, 2} {
			requests.Go(func() {
				use := &ingest.Use{Key: fmt.Sprint(i)}
				if got, err := c.Record(t.Context(), events(t, 10*i, 10*i+size), use); err != nil ||
					got[size-1].State != ingest.Stored {
					t.Errorf("Record = %v, %v", got, err)
				}
			})
			synctest.Wait()
		}

		close(gate)
		requests.Wait()
		stop()

		if got := store.Commits(); !slices.Equal(got, []int{1, 6, 2}) {
			t.Errorf("commits of %v events, want whole requests", got)
		}
	})
}

// A request with a key is refused as a whole, and no other request is.
func TestPoisonThatComesWithAKey(t *testing.T) {
	t.Parallel()

	for bad := range 9 {
		synctest.Test(t, func(t *testing.T) {
			store := ingesttest.New()
			gate := make(chan struct{})
			store.Hook = func(batch []event.Event) error {
				<-gate

				if slices.ContainsFunc(
					batch,
					func(e event.Event) bool { return e.ID() == fmt.Sprint(bad) },
				) {
					return fmt.Errorf("%w: bad", ingest.ErrRefused)
				}

				return nil
			}
			l := limits()
			l.Rows = 500
			c, _ := start(t, store, l)

			var requests sync.WaitGroup
			for i, use := range []*ingest.Use{nil, {Key: "k"}, {Key: "l"}} {
				requests.Go(func() {
					got, err := c.Record(t.Context(), events(t, 3*i, 3*i+3), use)
					if err != nil {
						t.Error(err)
						return
					}

					for j, o := range got {
						refused := 3*i+j == bad || use != nil && bad/3 == i
						if (o.State == ingest.Refused) != refused ||
							store.Has(fmt.Sprint(3*i+j)) == refused {
							t.Errorf("with %d bad, event %d has state %d", bad, 3*i+j, o.State)
						}
					}

					if _, found, _ := store.Find(
						t.Context(),
						"",
						fmt.Sprint(string(rune('j'+i))),
					); use != nil &&
						found == (bad/3 == i) {
						t.Errorf("with %d bad, key %d is remembered: %t", bad, i, found)
					}
				})
				synctest.Wait()
			}

			close(gate)
			requests.Wait()
		})
	}
}
