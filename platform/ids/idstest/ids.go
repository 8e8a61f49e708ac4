// Package idstest has ids in memory, and the contract suite that they and those of package ids
// pass.
package idstest

import (
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
)

// IDs is the port of services that create ids.
type IDs interface {
	New() (string, error)
	Derived(parts ...string) string
}

// Sequence creates readable ids: 000001, 000002 and so on, and those that are derived as their
// parts in quotes. The zero Sequence begins at 1.
type Sequence struct{ last atomic.Int64 }

var _ IDs = (*Sequence)(nil)

func (s *Sequence) New() (string, error) { return fmt.Sprintf("%06d", s.last.Add(1)), nil }

func (*Sequence) Derived(parts ...string) string { return fmt.Sprintf("%q", parts) }

// Suite tests the contract of ids. open returns ids; all that it returns derive alike.
func Suite(t *testing.T, open func() IDs) {
	t.Helper()
	t.Run("later ids sort after earlier ones", func(t *testing.T) {
		t.Parallel()

		ids := open()
		last := ""

		for range 100 {
			id, err := ids.New()
			if err != nil || id <= last {
				t.Fatalf("New = %s after %s, %v", id, last, err)
			}

			last = id
		}
	})
	t.Run("ids of several callers are unique", func(t *testing.T) {
		t.Parallel()

		var (
			ids     = open()
			callers sync.WaitGroup
			mu      sync.Mutex
			made    []string
		)

		for range 8 {
			callers.Go(func() {
				for range 100 {
					id, err := ids.New()
					if err != nil {
						t.Error(err)
					}

					mu.Lock()
					made = append(made, id)
					mu.Unlock()
				}
			})
		}

		callers.Wait()
		slices.Sort(made)

		if distinct := len(slices.Compact(made)); distinct != 800 {
			t.Errorf("%d distinct ids, want 800", distinct)
		}
	})
	t.Run("derived ids follow from their parts", func(t *testing.T) {
		t.Parallel()

		ids := open()
		known := map[string][]string{}

		for _, parts := range [][]string{
			{"ab", "c"},
			{"a", "bc"},
			{"abc"},
			{"a", "b", "c"},
			{"c", "ab"},
			{"ab", "c", ""},
			{""},
			{"ab:c"},
			{"2:ab", "c"},
			{"ab1:c"},
			{`a" "b`},
			{"a", "b"},
		} {
			id := ids.Derived(parts...)
			if other, taken := known[id]; taken {
				t.Errorf("%q and %q have the id %s", parts, other, id)
			}

			known[id] = parts

			if again := open().Derived(parts...); again != id {
				t.Errorf("%q have the id %s, and then %s", parts, id, again)
			}
		}
	})
}
