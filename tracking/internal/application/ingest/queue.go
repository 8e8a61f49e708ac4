package ingest

import (
	"sync"
	"sync/atomic"
	"time"

	"tributary/platform/fault"
	"tributary/tracking/internal/domain/event"
)

// waiting is an event that waits to be written.
type waiting struct {
	event event.Event
	group *group
	index int
}

// group is a request that waits for its events. Outcomes may be read after done is closed.
type group struct {
	use      *Use // nil without a key
	outcomes []Outcome
	missing  atomic.Int64
	done     chan struct{}
}

func newGroup(size int, use *Use) *group {
	g := &group{use: use, outcomes: make([]Outcome, size), done: make(chan struct{})}
	g.missing.Store(int64(size))

	return g
}

func (w waiting) resolve(outcome Outcome) {
	w.group.outcomes[w.index] = outcome
	if w.group.missing.Add(-1) == 0 {
		close(w.group.done)
	}
}

func (w waiting) fail(err error) { w.resolve(Outcome{State: Failed, Err: err}) }

// result returns the outcomes if all are known, and otherwise the error of the whole request: only
// the log then knows which part of it is stored.
func (g *group) result() ([]Outcome, error) {
	var failed error

	stored := false
	for _, o := range g.outcomes {
		stored = stored || o.State == Stored
		if o.State == Failed && (failed == nil || nothingStored(failed)) {
			failed = o.Err
		}
	}

	switch {
	case failed == nil:
		return g.outcomes, nil
	case stored && nothingStored(failed):
		return nil, Unknown(failed)
	}

	return nil, failed
}

// keyed returns the requests of a batch that have a key.
func keyed(batch []waiting) []Keyed {
	var list []Keyed
	for i, w := range batch {
		if w.group.use != nil && w.index == 0 {
			list = append(list, Keyed{Use: w.group.use, From: i, To: i + len(w.group.outcomes)})
		}
	}

	return list
}

// middle returns the index at which to halve a batch, never within a request that has a key, or 0
// if it cannot be halved.
func middle(batch []waiting) int {
	within := func(at int) bool { return batch[at].index > 0 && batch[at].group.use != nil }

	half := len(batch) / 2
	for half > 0 && within(half) {
		half--
	}

	if half > 0 {
		return half
	}

	for half = len(batch) / 2; half < len(batch) && within(half); {
		half++
	}

	return half % len(batch)
}

// queue holds the waiting events, bounded in rows and bytes.
type queue struct {
	limits Limits

	mu     sync.Mutex
	filled *sync.Cond
	items  []waiting // from head on
	head   int
	bytes  int
	taken  int // rows of the last batch
	enough int // a writer is woken if so many wait: 1, except while one gathers
	closed bool
}

func newQueue(limits Limits) *queue {
	q := &queue{limits: limits, enough: 1}
	q.filled = sync.NewCond(&q.mu)

	return q
}

// put adds all events or none. A single request may exceed the bounds of an empty queue.
func (q *queue) put(g *group, events []event.Event) error {
	size := 0
	for _, e := range events {
		size += e.Size()
	}

	q.mu.Lock()
	defer q.mu.Unlock()

	waits := q.waits()
	switch {
	case q.closed:
		return fault.ErrShuttingDown.
			New("This replica is stopping; nothing was stored by this request.").
			RetryIn(time.Second)
	case waits > 0 && (waits+len(events) > q.limits.QueueRows || q.bytes+size > q.limits.QueueBytes):
		return ErrFull.New(
			"The queue of this replica is full; nothing was stored by this request. Retry after Retry-After.",
		).RetryIn(time.Second)
	}

	for i, e := range events {
		q.items = append(q.items, waiting{event: e, group: g, index: i})
	}

	q.bytes += size
	if q.waits() >= q.enough {
		q.filled.Signal()
	}

	return nil
}

func (q *queue) waits() int { return len(q.items) - q.head }

// take waits for events and moves up to Limits.Rows of them to batch, in order, and the rest of the
// last one's request: a request is written in one commit. It returns no events if the queue is
// closed and empty.
func (q *queue) take(batch []waiting) []waiting {
	q.mu.Lock()
	defer q.mu.Unlock()

	for {
		for q.waits() == 0 {
			if q.closed {
				return batch
			}

			q.filled.Wait()
		}

		q.gather()

		if q.waits() > 0 { // no other writer has taken what this one gathered
			break
		}
	}

	end := min(q.head+q.limits.Rows, len(q.items))
	for end < len(q.items) && q.items[end].group == q.items[end-1].group {
		end++
	}

	batch = append(batch, q.items[q.head:end]...)
	for i := range batch {
		q.bytes -= batch[i].event.Size()
	}

	q.advance(end)

	q.taken = len(batch)
	if q.waits() > 0 {
		q.filled.Signal()
	}

	return batch
}

// gather waits until as many events wait as the last batch had, at most for Limits.Gather: callers
// that were answered together send their next requests together, and a commit of several rows costs
// little more than one of a single row. A lone request finds a last batch of one and does not wait.
// Under load it is better to write than to wait for all of them.
func (q *queue) gather() {
	late := false

	timer := time.AfterFunc(q.limits.Gather, func() {
		q.mu.Lock()
		defer q.mu.Unlock()
		late = true
		q.filled.Broadcast()
	})
	defer timer.Stop()

	q.enough = min(q.taken, q.limits.GatherRows)
	for q.waits() < q.enough && !late && !q.closed {
		q.filled.Wait()
	}

	q.enough = 1
}

// advance removes the items before end and releases their memory from time to time.
func (q *queue) advance(end int) {
	clear(q.items[q.head:end])

	q.head = end
	if q.head == len(q.items) || q.head > len(q.items)/2 {
		kept := copy(q.items, q.items[q.head:])
		clear(q.items[kept:])
		q.items, q.head = q.items[:kept], 0
	}
}

// failAll answers every waiting request with the error.
func (q *queue) failAll(err error) {
	q.mu.Lock()
	defer q.mu.Unlock()

	for _, w := range q.items[q.head:] {
		w.fail(err)
	}

	q.bytes = 0
	q.advance(len(q.items))
}

func (q *queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	q.filled.Broadcast()
}

func (q *queue) rows() int {
	q.mu.Lock()
	defer q.mu.Unlock()

	return q.waits()
}
