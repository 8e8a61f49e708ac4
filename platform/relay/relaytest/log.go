package relaytest

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"tributary/platform/relay"
)

// Reader is the part of a relay.Log that reads.
type Reader[P comparable, E relay.Entry[P]] interface {
	Read(ctx context.Context, after P, limit int) ([]E, error)
}

// LogWorld is a log, which may have some entries.
type LogWorld[P comparable, E relay.Entry[P]] struct {
	Log Reader[P, E]
	// Add adds an entry to the log. Several callers may add at a time.
	Add     func(ctx context.Context) error
	Compare func(a, b P) int
}

// ReaderSuite tests how a relay.Log is read. open returns a world.
func ReaderSuite[P comparable, E relay.Entry[P]](
	t *testing.T,
	open func(t *testing.T) LogWorld[P, E],
) {
	t.Helper()
	t.Run("the log is read in order, by pages", func(t *testing.T) {
		t.Parallel()

		w := open(t)

		before := w.end(t)
		for range 7 {
			w.add(t)
		}

		list := w.read(t, before, 7, 3)
		if again := w.read(t, before, 7, 100); !slices.Equal(ids(again), ids(list)) {
			t.Errorf("read %q by pages, and %q at once", ids(list), ids(again))
		}

		if rest := w.read(t, list[4].Position(), 2, 1); !slices.Equal(ids(rest), ids(list[5:])) {
			t.Errorf("read %q after 5 of %q", ids(rest), ids(list))
		}
	})
	t.Run("the end of the log has no entries", func(t *testing.T) {
		t.Parallel()

		w := open(t)

		for range 3 {
			before := w.end(t)
			if page, err := w.Log.Read(t.Context(), before, 10); len(page) > 0 || err != nil {
				t.Errorf("read %q at the end, %v", ids(page), err)
			}

			w.add(t)
			w.read(t, before, 1, 10)
		}
	})
	t.Run("a reader misses nothing of several writers", func(t *testing.T) {
		t.Parallel()

		w := open(t)
		before := w.end(t)

		var writers sync.WaitGroup

		for range 4 {
			writers.Go(func() {
				for range 10 {
					if err := w.Add(t.Context()); err != nil {
						t.Error(err)
					}
				}
			})
		}

		list := w.read(t, before, 40, 7)

		writers.Wait()

		if again := w.read(t, before, 40, 100); !slices.Equal(ids(again), ids(list)) {
			t.Errorf("read %q meanwhile, and %q afterwards", ids(list), ids(again))
		}
	})
}

func (w LogWorld[P, E]) add(t *testing.T) {
	t.Helper()

	if err := w.Add(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// ids returns what the entries are named.
func ids[P comparable, E relay.Entry[P]](entries []E) []string {
	list := make([]string, len(entries))
	for i, e := range entries {
		list[i] = e.ID()
	}

	return list
}

// page reads a page and checks its size and its order.
func (w LogWorld[P, E]) page(t *testing.T, after P, limit int) []E {
	t.Helper()

	page, err := w.Log.Read(t.Context(), after, limit)
	if err != nil || len(page) > limit {
		t.Fatalf("%d entries of %d, %v", len(page), limit, err)
	}

	for _, e := range page {
		if w.Compare(after, e.Position()) >= 0 {
			t.Fatalf("entry %s at %v is not behind %v", e.ID(), e.Position(), after)
		}

		after = e.Position()
	}

	return page
}

// end returns the position of the last entry.
func (w LogWorld[P, E]) end(t *testing.T) (last P) {
	t.Helper()

	for page := w.page(t, last, 100); len(page) > 0; page = w.page(t, last, 100) {
		last = page[len(page)-1].Position()
	}

	return last
}

// read reads the entries after the position, by pages, until there are as many. An entry may become
// visible some time after it was added.
func (w LogWorld[P, E]) read(t *testing.T, after P, number, limit int) []E {
	t.Helper()

	late := time.NewTimer(patience)
	defer late.Stop()

	look := time.NewTicker(10 * time.Millisecond)
	defer look.Stop()

	var list []E

	for len(list) < number {
		if page := w.page(t, after, limit); len(page) > 0 {
			list = append(list, page...)
			after = page[len(page)-1].Position()

			continue
		}

		select {
		case <-look.C:
		case <-late.C:
			t.Fatalf("%d of %d entries", len(list), number)
		}
	}

	if names := ids(list); len(list) > number || len(slices.Compact(slices.Sorted(slices.Values(names)))) < number {
		t.Errorf("read %q, want %d entries", names, number)
	}

	return list
}
