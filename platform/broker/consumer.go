package broker

import (
	"cmp"
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/apache/pulsar-client-go/pulsar"
	"go.opentelemetry.io/otel"
)

// Received is a message with its position in the broker.
type Received struct {
	Message

	Topic       string // of the partition
	PublishTime time.Time
	id          pulsar.MessageID
}

// ID returns ledger:entry:partition:batch index, for logs and dead letters.
func (r Received) ID() string {
	if r.id == nil {
		return ""
	}

	return r.id.String()
}

// ConsumerConfig configures a consumer. Zero values select the defaults.
type ConsumerConfig struct {
	Topic        string
	Subscription string
	MaxBatch     int // largest size of a batch; default 500
	// Batches handled concurrently, at most, each of its own partitions; default 1. A further one
	// begins only when half of MaxBatch is waiting for it, or when all others have failed or are
	// slow.
	Workers int
	// Messages of a partition waiting in memory, at most; for producers with larger batches,
	// batches. Default 16.
	Queue int
	// Time without a message of a partition before the broker is asked whether one is missing;
	// default 30 s.
	IdleLimit time.Duration
	// Creates spans for batches, linked to the traces of their messages. Without it tracing costs
	// nothing.
	Trace bool
	// Unreadable stores a message that the client library cannot read, because it is empty or
	// damaged, and returns nil once it is stored. All that is known of the message is its topic and
	// its id. It is tried again after an error, and the consumer waits; a message that is not
	// stored is not acknowledged. It may be called twice for a message. If nil, such messages are
	// lost.
	Unreadable func(context.Context, Received) error
}

// Consumer reads one topic through a durable Failover subscription. Each partition has one active
// consumer, so messages of a key arrive in order. A new subscription begins with the oldest message
// that is kept.
type Consumer struct {
	cfg       ConsumerConfig
	client    *Client
	library   pulsar.Client // used by Run's goroutine only
	connected atomic.Bool
	trouble   atomic.Pointer[error] // why the last attempt to subscribe failed
	behind    atomic.Bool           // MaxBatch messages were left waiting since the last Behind
	// Newest message received, per partition. Used by Run's goroutine only.
	seen map[int32]position
}

// Behind reports whether the handling of messages is behind: since the last call, a batch left as
// many waiting as a batch may have. It is for one caller, which gives way.
func (c *Consumer) Behind() bool { return c.behind.Swap(false) }

// NewConsumer returns a consumer. It does nothing before Run.
func (c *Client) NewConsumer(cfg ConsumerConfig) *Consumer {
	cfg.MaxBatch, cfg.Workers = cmp.Or(cfg.MaxBatch, 500), cmp.Or(cfg.Workers, 1)
	// The library's queue that scales by bytes does not work: it counts batches twice and never
	// releases them (0.21.0). The broker reads as many batches as it is allowed messages, at most
	// 100. With the library's default of 1000 it sends up to 100,000 messages a partition.
	cfg.Queue = cmp.Or(cfg.Queue, 16)
	cfg.IdleLimit = cmp.Or(cfg.IdleLimit, 30*time.Second)

	return &Consumer{cfg: cfg, client: c, seen: map[int32]position{}}
}

// Ready returns nil if the consumer is subscribed.
func (c *Consumer) Ready() error {
	if c.connected.Load() {
		return nil
	}

	if err := c.trouble.Load(); err != nil {
		return fmt.Errorf("not subscribed to %s: %w", c.cfg.Topic, *err)
	}

	return fmt.Errorf("not subscribed to %s", c.cfg.Topic)
}

// Run hands batches to handle, in order per partition, until ctx ends; then it returns nil. handle
// returns nil if the batch's effect is committed; only then is the batch acknowledged. If handle
// returns an error the batch is handed over again, after a pause that grows to 5 s, until it
// succeeds or ctx ends, so handle itself must put aside what can never succeed. Messages may arrive
// twice, and an older one may arrive again after a newer one. With several workers handle is called
// concurrently. Its context outlives ctx by 5 s, so that it can finish the current batch.
func (c *Consumer) Run(ctx context.Context, handle func(context.Context, []Received) error) error {
	if c.cfg.Trace {
		handle = traced(otel.GetTracerProvider(), c.cfg, handle)
	}

	c.library = c.client.pulsar
	if c.cfg.Unreadable != nil {
		library, stop, err := c.ownLibrary(ctx)
		if err != nil {
			return err
		}
		defer stop()

		c.library = library
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
			err = refusal(c.cfg.Topic, "consume", err)
			c.trouble.Store(&err)
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

// consume hands messages to handle until ctx ends or another consumer is needed, and returns the
// reason once all batches have ended and the handled ones are acknowledged. Messages that are not
// in a batch by then are dropped: they are delivered again.
func (c *Consumer) consume(
	ctx context.Context,
	in *intake,
	handle func(context.Context, []Received) error,
) (reason string) {
	d := newDealer(c, in, handle)
	defer d.stop()

	ctx, cancel := context.WithCancel(ctx)
	defer cancel()

	watch := newWatchdog(c, in)

	ticker := time.NewTicker(c.cfg.IdleLimit)
	defer ticker.Stop()

	for {
		full := d.deal(ctx)

		inbox := in.inbox
		if full || d.looked {
			inbox = nil
		}

		select {
		case <-ctx.Done():
			return c.ended(ctx, in)
		case <-in.gone:
			return c.ended(ctx, in)
		case m := <-inbox:
			d.add(m.Message)
			d.look(in, true)
		case <-d.again.C:
			d.looked = false
			d.look(in, false)
		case <-d.changed:
			d.schedule.sweep()
			d.look(in, false)
		case <-d.gather.C:
			d.gathering, d.gathered = false, true
			d.look(in, false)
		case newest := <-watch.newest:
			watch.note(newest)
		case <-ticker.C:
			if found := c.missing(ctx, in, watch); found != "" {
				return found
			}

			watch.ask(ctx)
		}
	}
}

// missing returns why another consumer is needed although this one is open, or "".
func (c *Consumer) missing(ctx context.Context, in *intake, watch *watchdog) string {
	if len(in.inbox) > 0 {
		return ""
	}

	found := watch.finding()
	if found != "" {
		c.client.logger.InfoContext(
			ctx,
			"messages may be waiting that are not delivered; subscribing again",
			"topic",
			c.cfg.Topic,
			"reason",
			found,
		)
	}

	return found
}

// ended returns why no more messages are dealt: ctx has ended, or the consumer is closed.
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
