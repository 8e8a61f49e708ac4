package idempotencytest

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"tributary/platform/idempotency"
)

// World is an empty store of keys.
type World struct {
	Keys idempotency.Keys
	// Use stores the first use of a key.
	Use func(t *testing.T, key string, at time.Time)
	// Known returns the stored keys in their order.
	Known func(t *testing.T) []string
}

// Suite tests the contract of idempotency.Keys. open returns an empty world.
func Suite(t *testing.T, open func(t *testing.T) World) {
	t.Helper()

	at := time.Date(2026, 11, 23, 12, 0, 0, 123456000, time.UTC)

	t.Run("old keys are forgotten, the oldest first", func(t *testing.T) {
		t.Parallel()

		w := open(t)
		for _, n := range []int{2, 0, 3, 1} {
			w.Use(t, fmt.Sprint("k", n), at.Add(time.Duration(n)*time.Hour))
		}

		for _, want := range []struct {
			limit, forgotten int
			left             []string
		}{
			{1, 1, []string{"k1", "k2", "k3"}},
			{10, 1, []string{"k2", "k3"}},
			{10, 0, []string{"k2", "k3"}}, // k2 was used at that time, not before
		} {
			w.forget(t, at.Add(2*time.Hour), want.limit, want.forgotten)

			if got := w.Known(t); !slices.Equal(got, want.left) {
				t.Errorf("%q are left, want %q", got, want.left)
			}
		}
	})
	t.Run("without keys nothing is forgotten", func(t *testing.T) {
		t.Parallel()
		open(t).forget(t, at, 10, 0)
	})
	t.Run("several callers forget what one would", func(t *testing.T) {
		t.Parallel()

		w := open(t)
		for n := range 20 {
			w.Use(t, fmt.Sprintf("old%02d", n), at.Add(time.Duration(n)*time.Second))
		}

		w.Use(t, "young", at.Add(time.Hour))

		var (
			callers sync.WaitGroup
			mu      sync.Mutex
			total   int
		)

		for range 4 {
			callers.Go(func() {
				n, err := w.Keys.Forget(t.Context(), at.Add(time.Minute), 3)
				if n > 3 || err != nil {
					t.Errorf("Forget = %d, %v", n, err)
				}

				mu.Lock()
				defer mu.Unlock()

				total += n
			})
		}

		callers.Wait() // some may have done nothing

		if got := w.Known(t); len(got) != 21-total {
			t.Errorf("%d are left of 21, and %d forgotten", len(got), total)
		}

		w.forget(t, at.Add(time.Minute), 100, 20-total)

		if got := w.Known(t); !slices.Equal(got, []string{"young"}) {
			t.Errorf("%q are left", got)
		}
	})
}

// forget checks how many keys are forgotten.
func (w World) forget(t *testing.T, before time.Time, limit, want int) {
	t.Helper()

	if n, err := w.Keys.Forget(t.Context(), before, limit); n != want || err != nil {
		t.Errorf("Forget = %d, %v; want %d", n, err, want)
	}
}
