package broker

import (
	"context"
	"sync"
	"time"

	"github.com/apache/pulsar-client-go/pulsar"
)

const (
	// gatherFor is how long a batch that is smaller than the latest one waits: messages that were
	// published together arrive, partition by partition, within the producers' batching delay.
	gatherFor = 2 * batchDelay
	// lookEvery is how often the dealer looks for messages while no batch can begin: waking for
	// each message took a third of the consumer's CPU time.
	lookEvery = time.Millisecond
	// stalledAfter is how long a batch may take before the messages of other partitions stop
	// waiting for its end.
	stalledAfter = 500 * time.Millisecond
	maxHold      = 5 * time.Second // between attempts to handle a failed batch
	stopGrace    = 5 * time.Second // for unfinished batches when the consumer stops
)

// dealer begins the batches of a schedule, each on its own goroutine, and acknowledges the handled
// ones. Its fields belong to the goroutine of Consumer.consume.
type dealer struct {
	consumer *Consumer
	handle   func(context.Context, []Received) error
	schedule *schedule
	acks     *acker
	working  sync.WaitGroup
	changed  chan struct{} // a batch is done or stalled

	gather    *time.Timer
	gathering bool // the timer is running
	gathered  bool // it has fired

	again  *time.Timer
	looked bool // no message is taken in before the timer fires
}

func newDealer(c *Consumer, in *intake, handle func(context.Context, []Received) error) *dealer {
	d := &dealer{
		consumer: c,
		handle:   handle,
		schedule: newSchedule(c.cfg.MaxBatch, c.cfg.Workers),
		acks:     newAcker(c.client, c.cfg.Topic, in.consumer.AckIDCumulative),
		changed:  make(chan struct{}, 1),
		gather:   time.NewTimer(gatherFor),
		again:    time.NewTimer(lookEvery),
	}
	d.gather.Stop()
	d.again.Stop()

	return d
}

// stop waits for the unfinished batches, whose context has ended, and for their acknowledgements.
func (d *dealer) stop() {
	d.gather.Stop()
	d.again.Stop()
	d.working.Wait()
	d.acks.stop()
}

func (d *dealer) add(m pulsar.Message) {
	id := m.ID()
	partition := id.PartitionIdx()

	seen := d.consumer.seen
	if at(id).after(seen[partition]) {
		seen[partition] = at(id)
	}

	d.schedule.add(m, partition)
}

// look adds the received messages, as far as there is room. found reports that a message was added
// before: more are likely to follow, so the next look comes a moment later.
func (d *dealer) look(in *intake, found bool) {
	for n := len(in.inbox); n > 0 && !d.schedule.full(); n-- {
		m := <-in.inbox
		d.add(m.Message)

		found = true
	}

	if found && !d.looked && (d.gathering || d.schedule.busy()) {
		d.looked = true
		d.again.Reset(lookEvery)
	}
}

// deal begins every batch that may begin now. It reports whether the schedule is full.
func (d *dealer) deal(ctx context.Context) (full bool) {
	for {
		b, gather := d.schedule.next(d.gathered)
		if gather != d.gathering {
			d.gathering = gather
			d.gather.Stop()

			if gather {
				d.gather.Reset(gatherFor)
			}
		}

		if b == nil {
			return d.schedule.full()
		}

		d.gathered = false
		d.working.Go(func() { d.work(ctx, b) })
	}
}

// work handles and acknowledges one batch. If ctx ends before the batch is handled, its partitions
// stay taken: no later message may be handled, since its acknowledgement would cover this batch.
func (d *dealer) work(ctx context.Context, b *share) {
	c := d.consumer

	slow := time.AfterFunc(stalledAfter, func() { d.stall(b) })
	defer slow.Stop()

	if !c.handle(ctx, b.messages, func(ctx context.Context, received []Received) error {
		err := d.handle(ctx, received)
		if err != nil {
			d.stall(b)
		}

		return err
	}) {
		return
	}

	d.acks.add(ctx, b.messages)
	c.measure(b)
	b.done.Store(true)
	d.change()
}

func (d *dealer) stall(b *share) {
	b.stalled.Store(true)
	d.change()
}

func (d *dealer) change() {
	select {
	case d.changed <- struct{}{}:
	default:
	}
}

// eventTime returns the message's event time. The library returns 1970 for a message without one.
func eventTime(m pulsar.Message) time.Time {
	if at := m.EventTime(); at.UnixMilli() != 0 {
		return at
	}

	return time.Time{}
}

// handle retries until the batch is handled. It returns false if ctx ends first.
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
				EventTime:  eventTime(m),
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
			"cannot handle the batch; it will be retried",
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

func (c *Consumer) measure(b *share) {
	m := c.client.metrics
	m.messages.WithLabelValues(c.cfg.Topic, "consumed").Add(float64(len(b.messages)))
	m.batches.WithLabelValues(c.cfg.Topic).Observe(float64(len(b.messages)))

	if b.behind >= c.cfg.MaxBatch {
		c.behind.Store(true)
	}

	delay := 0.0
	if b.behind > 0 {
		delay = time.Since(b.messages[0].PublishTime()).Seconds()
	}

	m.messageDelay.WithLabelValues(c.cfg.Topic).Set(delay)
}

// graceful returns a context that ends the grace period after ctx.
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
