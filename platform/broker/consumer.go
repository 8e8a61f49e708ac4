package broker

import (
	"cmp"
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/apache/pulsar-client-go/pulsar"
	"go.opentelemetry.io/otel"
)

// Received is a message with what the broker knows about it.
type Received struct {
	Message

	Topic       string // of the partition
	PublishTime time.Time
	id          pulsar.MessageID
}

// ID is ledger:entry:partition:batch index, for logs and dead letters.
func (r Received) ID() string {
	if r.id == nil {
		return ""
	}

	return r.id.String()
}

// ConsumerConfig is what differs between consumers. Zero values stand for the defaults.
type ConsumerConfig struct {
	Topic        string
	Subscription string
	MaxBatch     int // messages handed over at once, at most; default 500
	// batches handled at the same time, each of partitions of its own; default 1
	Workers int
	// messages or, where these are larger, batches of a producer that a partition may have waiting
	// in memory; default 32
	Queue int
	// without a message of a partition, before a look whether there should be one; default 30 s
	IdleLimit time.Duration
	// whether batches become spans that lead to the traces of their messages; otherwise tracing
	// costs nothing
	Trace bool
}

// Consumer reads one topic by a durable Failover subscription: each partition has one active
// consumer, so messages of a key come in order. A subscription that it makes begins with the oldest
// message that is kept.
type Consumer struct {
	cfg       ConsumerConfig
	client    *Client
	connected atomic.Bool
	// newest message that came, per partition; used by Run's goroutine only
	seen map[int32]position
}

// NewConsumer makes a consumer that does nothing before Run.
func (c *Client) NewConsumer(cfg ConsumerConfig) *Consumer {
	cfg.MaxBatch, cfg.Workers = cmp.Or(cfg.MaxBatch, 500), cmp.Or(cfg.Workers, 1)
	// The library's queue that scales by bytes is no choice: it counts batches twice and never
	// gives back (0.21.0). The broker reads as many batches as it is allowed messages, 100 at most:
	// with the library's 1000 it sends up to 100,000 messages a partition.
	cfg.Queue = cmp.Or(cfg.Queue, 32)
	cfg.IdleLimit = cmp.Or(cfg.IdleLimit, 30*time.Second)

	return &Consumer{cfg: cfg, client: c, seen: map[int32]position{}}
}

const (
	// A worker whose inbox is full keeps all messages waiting, those of idle workers too: with room
	// for one batch, batches were half as large.
	inboxBatches = 2
	maxHold      = 5 * time.Second // between attempts to handle a batch that failed
	stopGrace    = 5 * time.Second // for the batch under way when the consumer stops
)

// Ready is nil when the consumer is subscribed.
func (c *Consumer) Ready() error {
	if !c.connected.Load() {
		return fmt.Errorf("not subscribed to %s", c.cfg.Topic)
	}

	return nil
}

// Run hands batches to handle, in order per partition, until ctx ends; then it returns nil. Nil
// from handle means that the batch's effect is committed: only then is it acknowledged. An error
// holds the batch: it is handed over again, after a pause that grows to 5 s, until it succeeds or
// ctx ends. So handle itself must put away what can never succeed. Messages may come twice, and an
// older one may come again after a newer one. With several workers handle is called concurrently.
// Its context outlives ctx by 5 s, so that the batch under way can be finished.
func (c *Consumer) Run(ctx context.Context, handle func(context.Context, []Received) error) error {
	if c.cfg.Trace {
		handle = traced(otel.GetTracerProvider(), c.cfg, handle)
	}

	reason := "start"
	for ctx.Err() == nil {
		in, err := c.subscribe(ctx)
		if err == nil {
			c.client.metrics.connects.WithLabelValues(c.cfg.Topic, reason).Inc()
			c.client.logger.InfoContext(
				ctx,
				"consuming",
				"topic",
				c.cfg.Topic,
				"subscription",
				c.cfg.Subscription,
			)
			c.connected.Store(true)
			reason = c.consume(ctx, in, handle)
			c.connected.Store(false)
			within(closeTimeout, in.consumer.Close)

			continue
		}

		if ctx.Err() == nil {
			c.client.logger.WarnContext(
				ctx,
				"cannot consume yet",
				"topic",
				c.cfg.Topic,
				"error",
				err,
			)
			wait(ctx, maxBackoff)
		}
	}

	return nil
}

// consume deals what comes out to the workers until ctx ends or another consumer is needed; it
// returns why, when all have ended and what they handled is acknowledged.
func (c *Consumer) consume(
	ctx context.Context,
	in *intake,
	handle func(context.Context, []Received) error,
) (reason string) {
	work, stop := context.WithCancel(ctx)

	var working sync.WaitGroup
	defer working.Wait()
	defer stop()

	inboxes := make([]chan pulsar.Message, c.cfg.Workers)
	for i := range inboxes {
		inboxes[i] = make(chan pulsar.Message, inboxBatches*c.cfg.MaxBatch)
		working.Go(func() { c.work(work, in, inboxes[i], handle) })
	}

	watch := newWatchdog(c, in)

	ticker := time.NewTicker(c.cfg.IdleLimit)
	defer ticker.Stop()

	for {
		select {
		case <-ctx.Done():
			return c.ended(ctx, in)
		case <-in.gone:
			return c.ended(ctx, in)
		case m := <-in.inbox:
			dealt := c.deal(ctx, in, inboxes, m.Message)
			for n := len(in.inbox); dealt && n > 0; n-- {
				// a choice among many channels costs more than all else here
				m = <-in.inbox
				dealt = c.deal(ctx, in, inboxes, m.Message)
			}

			if !dealt {
				return c.ended(ctx, in)
			}
		case newest := <-watch.newest:
			watch.note(newest)
		case <-ticker.C:
			found := ""
			if len(in.inbox) == 0 {
				found = watch.finding()
			}

			if found != "" {
				c.client.logger.InfoContext(
					ctx,
					"messages may be waiting that do not come; subscribing again",
					"topic",
					c.cfg.Topic,
					"reason",
					found,
				)

				return found
			}

			watch.ask(ctx)
		}
	}
}

// ended tells why no more messages are dealt: ctx has ended, or else the consumer is gone.
func (c *Consumer) ended(ctx context.Context, in *intake) string {
	if ctx.Err() != nil {
		return "stop"
	}

	c.client.logger.WarnContext(
		ctx,
		"the consumer was closed; subscribing again",
		"topic",
		c.cfg.Topic,
		"error",
		in.cause,
	)

	return "lost"
}

// deal gives the message to the worker of its partition, and waits until that has room. False means
// that ctx has ended or the consumer is gone first; then no later message may be dealt: its
// acknowledgement would cover this one, which nobody has handled.
func (c *Consumer) deal(
	ctx context.Context,
	in *intake,
	inboxes []chan pulsar.Message,
	m pulsar.Message,
) bool {
	id := m.ID()

	partition := id.PartitionIdx()
	if at(id).after(c.seen[partition]) {
		c.seen[partition] = at(id)
	}

	inbox := inboxes[max(int(partition), 0)%len(inboxes)]
	select {
	case inbox <- m:
		return true
	default:
	}

	select {
	case inbox <- m:
		return true
	case <-in.gone:
		return false
	case <-ctx.Done():
		return false
	}
}

// work handles and acknowledges batches out of one inbox until ctx ends.
func (c *Consumer) work(
	ctx context.Context,
	in *intake,
	inbox <-chan pulsar.Message,
	handle func(context.Context, []Received) error,
) {
	acks := newAcker(c.client, c.cfg.Topic, in.consumer.AckIDCumulative)
	defer acks.stop()

	for {
		select {
		case <-ctx.Done():
			return
		case first := <-inbox:
			batch := c.drain(first, inbox)
			if !c.handle(ctx, batch, handle) {
				return
			}

			acks.add(ctx, batch)
			c.measure(batch, len(inbox))
		}
	}
}

// drain takes what has arrived already, up to MaxBatch: no timer, so a lone message is not kept
// waiting.
func (c *Consumer) drain(first pulsar.Message, inbox <-chan pulsar.Message) []pulsar.Message {
	batch := append(make([]pulsar.Message, 0, len(inbox)+1), first)
	for len(batch) < c.cfg.MaxBatch {
		select {
		case m := <-inbox:
			batch = append(batch, m)
		default:
			return batch
		}
	}

	return batch
}

// handle tries until the batch is handled; false means that ctx has ended before.
func (c *Consumer) handle(
	ctx context.Context,
	batch []pulsar.Message,
	handle func(context.Context, []Received) error,
) bool {
	received := make([]Received, len(batch))
	for i, m := range batch {
		received[i] = Received{
			Message: Message{
				Key:        m.Key(),
				Payload:    m.Payload(),
				Properties: m.Properties(),
				EventTime:  m.EventTime(),
			},
			Topic:       m.Topic(),
			PublishTime: m.PublishTime(),
			id:          m.ID(),
		}
	}

	work, done := graceful(ctx, stopGrace)
	defer done()
	held := c.client.metrics.heldSeconds.WithLabelValues(c.cfg.Topic)

	var since time.Duration
	defer func() { held.Sub(since.Seconds()) }()

	for pause := 100 * time.Millisecond; ; pause = min(2*pause, maxHold) {
		err := handle(work, received)
		if err == nil {
			return true
		}

		if ctx.Err() != nil {
			return false
		}

		since += pause
		held.Add(pause.Seconds())
		c.client.logger.WarnContext(
			ctx,
			"batch held: it will be tried again",
			"topic",
			c.cfg.Topic,
			"messages",
			len(batch),
			"retry_in",
			pause,
			"error",
			err,
		)

		if !wait(ctx, pause) {
			return false
		}
	}
}

func (c *Consumer) measure(batch []pulsar.Message, waiting int) {
	m := c.client.metrics
	m.messages.WithLabelValues(c.cfg.Topic, "consumed").Add(float64(len(batch)))
	m.batches.WithLabelValues(c.cfg.Topic).Observe(float64(len(batch)))

	delay := 0.0
	if waiting > 0 {
		delay = time.Since(batch[0].PublishTime()).Seconds()
	}

	m.messageDelay.WithLabelValues(c.cfg.Topic).Set(delay)
}

// graceful is ctx with an end that comes later by the grace.
func graceful(ctx context.Context, grace time.Duration) (context.Context, context.CancelFunc) {
	later, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		wait(later, grace)
		cancel()
	})

	return later, func() {
		stop()
		cancel()
	}
}
