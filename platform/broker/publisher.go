package broker

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/apache/pulsar-client-go/pulsar"
	"golang.org/x/sync/semaphore"
)

// Message is a message to publish. Key selects the partition: messages of one key stay in order.
type Message struct {
	Key        string
	Payload    []byte
	Properties map[string]string
	EventTime  time.Time // when it happened; zero if that has no meaning
}

// PublisherConfig configures a publisher. Zero values select the defaults.
type PublisherConfig struct {
	Topic string
	// The payload's Avro definition, which the broker compares with the topic's; empty for no
	// schema.
	Schema     string
	MaxPending int // messages without an answer, at most; default 5000
	// Send waits for room until its ctx ends if MaxPending messages are pending; otherwise it
	// refuses.
	Block bool
	// A send that takes longer has an unknown outcome; default 10 s, Unlimited for no limit.
	SendTimeout time.Duration
	// Bulk is for many messages that are alike: they are sent in larger batches and compressed.
	// Every Pulsar client reads them.
	Bulk bool
}

// Unlimited is the SendTimeout of a publisher whose messages must stay in order: none is abandoned
// while later ones are sent.
const Unlimited time.Duration = -1

// Publisher sends to one topic. Run owns its producer: it connects in the background, creates a new
// one when the client library closes the old one, and waits for all answers at the end. The other
// methods are safe for concurrent use.
type Publisher struct {
	cfg     PublisherConfig
	client  *Client
	room    *semaphore.Weighted
	current atomic.Pointer[session]
	trouble atomic.Pointer[error] // why Ready returns an error
	// of the topic, when its producers were opened last; 0 before
	partitions atomic.Int64
}

const (
	defaultPending     = 5000
	defaultSendTimeout = 10 * time.Second
	flushTimeout       = 10 * time.Second
	maxPendingBytes    = 32 << 20
	bulkBytes          = 256 << 10 // of a batch, before it is compressed
)

var (
	// ErrUnavailable means that the broker does not answer and that nothing was published.
	ErrUnavailable = errors.New("the broker is unavailable")
	// ErrUnknown means that the broker did not confirm in time: the message may be stored.
	ErrUnknown = errors.New("the broker did not confirm the message")
	// ErrRefused means that the broker can never store a message of this size or shape.
	ErrRefused = errors.New("the broker refuses the message")
)

var (
	errNotTaken = errors.New("the producer was closed before it accepted the message")
	errSilent   = errors.New("the broker has stopped confirming")
	errDeaf     = errors.New("the producer receives no answers although the broker answers")
	errFull     = errors.New("too many messages wait for the broker")
	// Partitions are seldom added; the producers are then opened again.
	errPartitions = errors.New("the topic has more partitions than before")
	errDeleted    = errors.New("the topic was deleted: create it again, with its partitions")
)

// NewPublisher returns a publisher. It does nothing before Run.
func (c *Client) NewPublisher(cfg PublisherConfig) *Publisher {
	cfg.MaxPending = cmp.Or(cfg.MaxPending, defaultPending)
	cfg.SendTimeout = cmp.Or(cfg.SendTimeout, defaultSendTimeout)

	return &Publisher{cfg: cfg, client: c, room: semaphore.NewWeighted(maxPendingBytes)}
}

// Ready returns nil if messages can be published: there is a producer, and the broker confirms or
// answers.
func (p *Publisher) Ready() error {
	if err := p.trouble.Load(); err != nil {
		return fmt.Errorf("%s: %w", p.cfg.Topic, *err)
	}

	if p.current.Load() == nil {
		return fmt.Errorf("not connected to %s", p.cfg.Topic)
	}

	return nil
}

// Send hands the message over and calls done exactly once, with nil if the broker has stored it. It
// does not block, unless PublisherConfig.Block is set. done may run before Send returns, or on the
// client's goroutine, where it must not block. The errors are ErrUnavailable (returned at
// once if the broker is known to be away), ErrUnknown and ErrRefused.
func (p *Publisher) Send(ctx context.Context, m Message, done func(error)) {
	if err := errors.Join(ctx.Err(), p.Ready()); err != nil {
		p.answer(done, unavailable(err))
		return
	}

	weight := p.weight(m)
	if err := p.reserve(ctx, weight); err != nil {
		p.answer(done, unavailable(err))
		return
	}

	s, d := p.current.Load(), &send{weight: weight, done: done}
	if s == nil || !s.add(d) {
		p.room.Release(weight)
		p.answer(done, unavailable(p.Ready()))

		return
	}

	message := &pulsar.ProducerMessage{
		Key:        m.Key,
		Payload:    m.Payload,
		Properties: m.Properties,
		EventTime:  m.EventTime,
	}
	if message.Payload == nil {
		message.Payload = []byte{} // nil would be a tombstone
	}

	s.hand(ctx, message, func(err error) {
		if s.markAnswered(d) {
			p.finish(s, d, err)
		}
	})
}

// Publish is Send that waits for the answer. If ctx ends first the outcome is unknown.
func (p *Publisher) Publish(ctx context.Context, m Message) error {
	answer := make(chan error, 1)
	p.Send(ctx, m, func(err error) { answer <- err })

	select {
	case err := <-answer:
		return err
	case <-ctx.Done():
	}

	select {
	case err := <-answer:
		return err
	default:
		return unknown(ctx.Err())
	}
}

// weight returns the share of the semaphore for m, so that one semaphore bounds both the number and
// the bytes of pending messages.
func (p *Publisher) weight(m Message) int64 {
	size := int64(len(m.Key) + len(m.Payload))
	return min(max(size, maxPendingBytes/int64(p.cfg.MaxPending)), maxPendingBytes)
}

func (p *Publisher) reserve(ctx context.Context, weight int64) error {
	if p.cfg.Block {
		return p.room.Acquire(ctx, weight)
	}

	if !p.room.TryAcquire(weight) {
		return errFull
	}

	return nil
}

// finish translates the library's answer and passes it on.
func (p *Publisher) finish(s *session, d *send, err error) {
	p.room.Release(d.weight)

	if err == nil {
		if p.trouble.Load() != nil {
			p.trouble.Store(nil)
		}

		p.answer(d.done, nil)

		return
	}

	if lost(err) {
		s.lose()
	}

	if errors.Is(err, pulsar.ErrSendTimeout) {
		p.trouble.Store(new(errSilent))
	}

	p.answer(d.done, outcome(err))
}

func (p *Publisher) answer(done func(error), err error) {
	what := "published"
	if err != nil {
		what = "failed"
	}

	p.client.metrics.messages.WithLabelValues(p.cfg.Topic, what).Inc()
	done(err)
}

// lost reports whether err means that the library has closed the producer.
func lost(err error) bool {
	return errors.Is(err, pulsar.ErrProducerClosed) || errors.Is(err, pulsar.ErrTopicNotfound) ||
		errors.Is(err, pulsar.ErrTopicTerminated) || errors.Is(err, pulsar.ErrProducerFenced)
}

// outcome translates an error of the library. A producer that was closed may have written the
// message before.
func outcome(err error) error {
	switch {
	case errors.Is(err, pulsar.ErrMessageTooLarge),
		errors.Is(err, pulsar.ErrMetaTooLarge),
		errors.Is(err, pulsar.ErrInvalidMessage),
		errors.Is(err, pulsar.ErrSchema),
		errors.Is(err, pulsar.ErrFailAddToBatch):
		return fmt.Errorf("%w: %w", ErrRefused, err)
	case errors.Is(err, errNotTaken),
		errors.Is(err, pulsar.ErrSendQueueIsFull),
		errors.Is(err, pulsar.ErrMemoryBufferIsFull),
		errors.Is(err, pulsar.ErrContextExpired),
		errors.Is(err, context.Canceled),
		errors.Is(err, context.DeadlineExceeded):
		return unavailable(err)
	}

	return unknown(err)
}

func unavailable(err error) error { return fmt.Errorf("%w: %w", ErrUnavailable, err) }

func unknown(err error) error { return fmt.Errorf("%w: %w", ErrUnknown, err) }
