package broker

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/apache/pulsar-client-go/pulsar"
)

// Received is a message with what the broker knows about it.
type Received struct {
	Message

	ID          string // ledger:entry:partition:batch index, for logs and dead letters
	Topic       string // of the partition
	PublishTime time.Time
}

// ConsumerConfig is what differs between consumers.
type ConsumerConfig struct {
	Topic        string
	Subscription string
	MaxBatch     int // messages handed over at once, at most
}

// Consumer reads one topic by a Failover subscription: each partition has one active consumer, so messages of a key come in order.
type Consumer struct {
	cfg       ConsumerConfig
	client    *Client
	connected atomic.Bool
	seen      map[int32]position // newest message met per partition; used by Run's goroutine only
}

// NewConsumer makes a consumer that does nothing before Run.
func (c *Client) NewConsumer(cfg ConsumerConfig) *Consumer {
	return &Consumer{cfg: cfg, client: c, seen: map[int32]position{}}
}

const (
	receiverQueue = 1000             // messages a partition may have waiting in memory
	idleLimit     = 30 * time.Second // without a message, before a look whether there should be one
	maxHold       = 5 * time.Second  // between attempts to handle a batch that failed
)

// Ready is nil when the consumer is subscribed.
func (c *Consumer) Ready() error {
	if !c.connected.Load() {
		return fmt.Errorf("not subscribed to %s", c.cfg.Topic)
	}
	return nil
}

// Run hands batches to handle, in order per partition, until ctx ends; then it returns nil. Nil from handle means that the
// batch's effect is committed: only then is it acknowledged. An error holds the batch: it is handed over again, after a pause that grows to
// 5 s, until it succeeds or ctx ends. So handle itself must put away what can never succeed. Messages may come twice.
func (c *Consumer) Run(ctx context.Context, handle func(context.Context, []Received) error) error {
	for ctx.Err() == nil {
		if err := c.consume(ctx, handle); err != nil {
			c.client.logger.WarnContext(ctx, "cannot consume yet", "topic", c.cfg.Topic, "error", err)
			wait(ctx, maxBackoff)
		}
	}
	return nil
}

// consume subscribes and works until ctx ends or the consumer is found to be stuck.
func (c *Consumer) consume(ctx context.Context, handle func(context.Context, []Received) error) error {
	inbox := make(chan pulsar.ConsumerMessage, c.cfg.MaxBatch)
	active := &partitions{active: map[int32]bool{}}
	consumer, err := c.client.pulsar.Subscribe(pulsar.ConsumerOptions{
		Topic: c.cfg.Topic, SubscriptionName: c.cfg.Subscription, Type: pulsar.Failover,
		SubscriptionInitialPosition: pulsar.SubscriptionPositionEarliest, MessageChannel: inbox, ReceiverQueueSize: receiverQueue,
		BackOffPolicyFunc: capped, EventListener: active,
	})
	if err != nil {
		return err
	}
	c.connected.Store(true)
	c.client.logger.InfoContext(ctx, "consuming", "topic", c.cfg.Topic, "subscription", c.cfg.Subscription)
	acks := newAcker(consumer)
	defer func() {
		c.connected.Store(false)
		acks.stop()
		consumer.Close()
	}()
	idle := time.NewTimer(idleLimit)
	defer idle.Stop()
	for {
		idle.Reset(idleLimit)
		select {
		case <-ctx.Done():
			return nil
		case first := <-inbox:
			batch := c.drain(first, inbox)
			if !c.handle(ctx, batch, handle) {
				return nil
			}
			acks.add(batch)
			c.client.messages.WithLabelValues(c.cfg.Topic, "consumed").Add(float64(len(batch)))
		case <-idle.C:
			if c.stuck(ctx, consumer, active) {
				return fmt.Errorf("no message for %s although there are some: subscribing again", idleLimit)
			}
		}
	}
}

// drain takes what has arrived already, up to MaxBatch: no timer, so a lone message is not kept waiting.
func (c *Consumer) drain(first pulsar.ConsumerMessage, inbox <-chan pulsar.ConsumerMessage) []pulsar.Message {
	batch := append(make([]pulsar.Message, 0, c.cfg.MaxBatch), first.Message)
	for len(batch) < c.cfg.MaxBatch {
		select {
		case m := <-inbox:
			batch = append(batch, m.Message)
		default:
			return batch
		}
	}
	return batch
}

// handle tries until the batch is handled; false means that ctx has ended before.
func (c *Consumer) handle(ctx context.Context, batch []pulsar.Message, handle func(context.Context, []Received) error) bool {
	received := make([]Received, len(batch))
	for i, m := range batch {
		received[i] = Received{
			Message: Message{Key: m.Key(), Payload: m.Payload(), Properties: m.Properties(), EventTime: m.EventTime()},
			ID:      m.ID().String(), Topic: m.Topic(), PublishTime: m.PublishTime(),
		}
		c.seen[m.ID().PartitionIdx()] = at(m.ID())
	}
	for pause := 100 * time.Millisecond; ; pause = min(2*pause, maxHold) {
		err := handle(ctx, received)
		if err == nil {
			return true
		}
		if ctx.Err() != nil {
			return false
		}
		c.client.logger.WarnContext(ctx, "batch held: it will be tried again", "topic", c.cfg.Topic, "messages", len(batch), "retry_in", pause, "error", err)
		if !wait(ctx, pause) {
			return false
		}
	}
}

// stuck looks for messages that should have come to this consumer and did not. Each newest message makes it true once only, so
// that an idle topic is left alone.
func (c *Consumer) stuck(ctx context.Context, consumer pulsar.Consumer, active *partitions) bool {
	ids, err := consumer.GetLastMessageIDs()
	if err != nil {
		c.client.logger.DebugContext(ctx, "cannot ask for the newest messages", "topic", c.cfg.Topic, "error", err)
		return false
	}
	stuck := false
	for _, id := range ids {
		partition, newest := id.PartitionIdx(), at(id)
		if newest.entry >= 0 && active.has(partition) && newest.after(c.seen[partition]) {
			c.seen[partition] = newest
			stuck = true
		}
	}
	return stuck
}

// position orders messages of a partition.
type position struct{ ledger, entry int64 }

func at(id pulsar.MessageID) position { return position{id.LedgerID(), id.EntryID()} }

func (p position) after(other position) bool {
	return p.ledger > other.ledger || (p.ledger == other.ledger && p.entry > other.entry)
}

// partitions knows for which partitions this consumer is the active one.
type partitions struct {
	mu     sync.Mutex
	active map[int32]bool
}

// BecameActive is called by the client.
func (p *partitions) BecameActive(_ pulsar.Consumer, _ string, partition int32) {
	p.set(partition, true)
}

// BecameInactive is called by the client.
func (p *partitions) BecameInactive(_ pulsar.Consumer, _ string, partition int32) {
	p.set(partition, false)
}

func (p *partitions) set(partition int32, active bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.active[partition] = active
}

func (p *partitions) has(partition int32) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.active[partition]
}
