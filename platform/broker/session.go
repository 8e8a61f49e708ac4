package broker

import (
	"context"
	"fmt"
	"sync"

	"github.com/apache/pulsar-client-go/pulsar"
)

// session is the producer of a topic. The client library loses callbacks (of a batch that is being
// filled when the producer is closed) and can panic in a send during the close. The session
// records every send, so that each is answered exactly once.
type session struct {
	producer *producers
	gone     chan struct{} // closed when the library has closed the producer

	mu       sync.Mutex
	pending  send // sentinel of a ring of sends without an answer
	count    int
	answers  uint64
	closing  bool
	goneFlag bool
	empty    chan struct{} // closed when closing and no send is pending
}

type send struct {
	prev, next *send
	weight     int64
	done       func(error)
}

func newSession(producer *producers) *session {
	s := &session{producer: producer, gone: make(chan struct{}), empty: make(chan struct{})}
	s.pending.prev, s.pending.next = &s.pending, &s.pending

	return s
}

// add records a send. It returns false if the session accepts no more.
func (s *session) add(d *send) bool {
	s.mu.Lock()
	defer s.mu.Unlock()

	if s.closing {
		return false
	}

	last := s.pending.prev
	last.next = d
	d.prev = last
	d.next = &s.pending
	s.pending.prev = d
	s.count++

	return true
}

// markAnswered marks the send as answered and reports whether it was unanswered before.
func (s *session) markAnswered(d *send) bool {
	s.mu.Lock()
	defer s.mu.Unlock()

	if d.next == nil {
		return false
	}

	s.remove(d)
	s.answers++

	return true
}

func (s *session) remove(d *send) {
	d.prev.next, d.next.prev = d.next, d.prev
	d.prev, d.next = nil, nil

	s.count--
	if s.count == 0 && s.closing {
		close(s.empty)
	}
}

// state returns the number of pending sends and the total number of answers.
func (s *session) state() (pending int, answers uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()

	return s.count, s.answers
}

// oldest returns the send that has waited longest, or nil.
func (s *session) oldest() *send {
	s.mu.Lock()
	defer s.mu.Unlock()

	if s.count == 0 {
		return nil
	}

	return s.pending.next
}

// lose is called when the library reports that the producer is closed permanently.
func (s *session) lose() {
	s.mu.Lock()
	defer s.mu.Unlock()

	if !s.goneFlag {
		s.goneFlag = true
		close(s.gone)
	}
}

// drain accepts no more sends and waits until all are answered, ctx ends or the producer is closed.
func (s *session) drain(ctx context.Context) {
	s.mu.Lock()

	s.closing = true
	if s.count == 0 {
		s.mu.Unlock()
		return
	}

	s.mu.Unlock()

	select {
	case <-s.empty:
	case <-s.gone:
	case <-ctx.Done():
	}
}

// abandon returns the unanswered sends. Later answers of the library are ignored.
func (s *session) abandon() []*send {
	s.mu.Lock()
	defer s.mu.Unlock()

	var left []*send
	for d := s.pending.next; d != &s.pending; d = s.pending.next {
		left = append(left, d)
		s.remove(d)
	}

	return left
}

// hand passes the message to the library. A panic of the library (its channel was closed meanwhile)
// means that the message was not accepted.
func (s *session) hand(ctx context.Context, m *pulsar.ProducerMessage, answer func(error)) {
	defer func() {
		if r := recover(); r != nil {
			// First the answer: a lost session answers what is pending as of unknown outcome.
			answer(fmt.Errorf("%w: %v", errNotTaken, r))
			s.lose()
		}
	}()
	s.producer.SendAsync(
		ctx,
		m,
		func(_ pulsar.MessageID, _ *pulsar.ProducerMessage, err error) { answer(err) },
	)
}

// alive asks the library whether the producer is closed permanently. It flushes, which is harmless.
func (s *session) alive(ctx context.Context) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%w: %v", pulsar.ErrProducerClosed, r)
		}
	}()

	return s.producer.FlushWithCtx(ctx)
}
