package broker

import (
	"slices"
	"sync/atomic"

	"github.com/apache/pulsar-client-go/pulsar"
)

// schedule decides which messages are handled together and when, so that the number of batches
// follows the load. While a batch is handled, new messages wait for the next one; a further batch
// begins beside it only when enough messages are waiting. Messages of a partition are handled in
// order: a partition belongs to one batch at a time. A schedule is used by one goroutine.
type schedule struct {
	maxBatch int
	workers  int
	queues   map[int32]*queue
	order    []*queue // with messages; the one that has waited longest is first
	waiting  int      // messages in all of them
	running  []*share
	last     int // messages of the latest batch
}

// queue holds the waiting messages of one partition.
type queue struct {
	messages []pulsar.Message
	taken    bool // by a batch that is being handled
}

// share is a batch that is being handled. Its handler sets the flags.
type share struct {
	messages []pulsar.Message
	queues   []*queue
	behind   int         // messages left waiting
	stalled  atomic.Bool // it failed or is slow: other partitions do not wait for it
	done     atomic.Bool
}

func newSchedule(maxBatch, workers int) *schedule {
	return &schedule{maxBatch: maxBatch, workers: workers, queues: map[int32]*queue{}}
}

// queuedBatches bounds the waiting messages, in batches of each worker. With 1, the batches of a
// saturated consumer were half as large.
const queuedBatches = 2

// full reports whether no more messages may be added.
func (s *schedule) full() bool { return s.waiting >= queuedBatches*s.maxBatch*s.workers }

// busy reports whether a batch is being handled.
func (s *schedule) busy() bool { return len(s.running) > 0 }

func (s *schedule) add(m pulsar.Message, partition int32) {
	q := s.queues[partition]
	if q == nil {
		q = &queue{}
		s.queues[partition] = q
	}

	if len(q.messages) == 0 {
		s.order = append(s.order, q)
	}

	q.messages = append(q.messages, m)
	s.waiting++
}

// next returns the batch to begin now, or nil. It reports gather if the batch is smaller than the
// latest one and would be the only one: the caller then waits a moment and passes gathered.
func (s *schedule) next(gathered bool) (begin *share, gather bool) {
	if len(s.running) == s.workers {
		return nil, false
	}

	free := 0
	for _, q := range s.order {
		if !q.taken {
			free += len(q.messages)
		}
	}

	switch alone := !slices.ContainsFunc(s.running, (*share).brisk); {
	case free == 0:
		return nil, false
	case !alone && free < max(s.maxBatch/2, 1):
		return nil, false
	case alone && !gathered && free < s.last:
		return nil, true
	}

	return s.take(), false
}

// brisk reports whether the batch is unfinished and neither failed nor slow.
func (b *share) brisk() bool { return !b.done.Load() && !b.stalled.Load() }

// take forms a batch of the free partitions, taking whole partitions as far as possible: under load
// a batch has few partitions and leaves the others to other batches.
func (s *schedule) take() *share {
	b := &share{}
	kept := s.order[:0]

	var rest []*queue // move to the end: their remaining messages are newer
	for _, q := range s.order {
		n := min(len(q.messages), s.maxBatch-len(b.messages))
		if q.taken || n == 0 {
			kept = append(kept, q)
			continue
		}

		b.messages = append(b.messages, q.messages[:n]...)
		b.queues = append(b.queues, q)

		q.taken = true
		if q.messages = slices.Delete(q.messages, 0, n); len(q.messages) > 0 {
			rest = append(rest, q)
		}
	}

	clear(s.order[len(kept):])

	s.order = append(kept, rest...)
	s.waiting -= len(b.messages)
	s.running = append(s.running, b)
	s.last, b.behind = len(b.messages), s.waiting

	return b
}

// sweep frees the partitions of finished batches.
func (s *schedule) sweep() {
	s.running = slices.DeleteFunc(s.running, func(b *share) bool {
		if !b.done.Load() {
			return false
		}

		for _, q := range b.queues {
			q.taken = false
		}

		return true
	})
}
