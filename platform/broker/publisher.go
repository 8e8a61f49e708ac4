package broker

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/apache/pulsar-client-go/pulsar"

	"tributary/platform/fault"
)

// Message is what travels. Key decides the partition, so messages of one key stay in order.
type Message struct {
	Key        string
	Payload    []byte
	Properties map[string]string
	EventTime  time.Time // when it happened; zero when that has no meaning
}

// PublisherConfig is what differs between publishers.
type PublisherConfig struct {
	Topic       string
	Schema      string        // the payload's Avro definition, which the broker compares with the topic's; empty for none
	MaxPending  int           // messages handed over and not yet confirmed; more are refused
	SendTimeout time.Duration // after which a send is reported as unknown
	BatchDelay  time.Duration // how long a message may wait for others; 0 means 1 ms
}

// Publisher sends to one topic. Run owns its producer: it connects in the background, makes a new one when the client has
// given the old one up, and flushes at the end. The other methods are safe for concurrent use.
type Publisher struct {
	cfg      PublisherConfig
	client   *Client
	producer atomic.Pointer[pulsar.Producer]
	lost     chan struct{}
}

// NewPublisher makes a publisher that does nothing before Run.
func (c *Client) NewPublisher(cfg PublisherConfig) *Publisher {
	return &Publisher{cfg: cfg, client: c, lost: make(chan struct{}, 1)}
}

const (
	flushTimeout = 10 * time.Second
	retryAfter   = time.Second
)

// Run connects and keeps the publisher connected until ctx ends; then it flushes what was handed over. It returns nil.
func (p *Publisher) Run(ctx context.Context) error {
	for ctx.Err() == nil {
		producer, err := p.connect()
		if err != nil {
			p.client.logger.WarnContext(ctx, "cannot publish yet", "topic", p.cfg.Topic, "error", err)
			wait(ctx, maxBackoff)
			continue
		}
		p.producer.Store(&producer)
		p.client.logger.InfoContext(ctx, "publishing", "topic", p.cfg.Topic)
		select {
		case <-ctx.Done():
			p.close(ctx, producer)
			return nil
		case <-p.lost:
			p.producer.Store(nil)
			producer.Close()
		}
	}
	return nil
}

func (p *Publisher) connect() (pulsar.Producer, error) {
	delay := p.cfg.BatchDelay
	if delay == 0 {
		delay = time.Millisecond
	}
	options := pulsar.ProducerOptions{
		Topic: p.cfg.Topic, SendTimeout: p.cfg.SendTimeout, MaxPendingMessages: p.cfg.MaxPending, DisableBlockIfQueueFull: true,
		BatchingMaxPublishDelay: delay, BackOffPolicyFunc: capped,
	}
	if p.cfg.Schema != "" {
		schema, err := pulsar.NewJSONSchemaWithValidation(p.cfg.Schema, nil)
		if err != nil {
			return nil, fmt.Errorf("schema of %s: %w", p.cfg.Topic, err)
		}
		options.Schema = schema
	}
	return p.client.pulsar.CreateProducer(options)
}

// close sends what is pending and ends the producer. A bare Close would never answer pending sends.
func (p *Publisher) close(ctx context.Context, producer pulsar.Producer) {
	p.producer.Store(nil)
	flush, cancel := context.WithTimeout(context.WithoutCancel(ctx), flushTimeout)
	defer cancel()
	if err := producer.FlushWithCtx(flush); err != nil {
		p.client.logger.WarnContext(ctx, "messages were not confirmed before the stop", "topic", p.cfg.Topic, "error", err)
	}
	producer.Close()
}

// Ready is nil when the publisher has its producer.
func (p *Publisher) Ready() error {
	if p.producer.Load() == nil {
		return fmt.Errorf("not connected to %s", p.cfg.Topic)
	}
	return nil
}

// Send hands the message over and calls done once, with nil when the broker has stored it. It does not block; done may run
// before Send returns, or on the client's goroutine, where it must not block. Errors are broker_unavailable (not sent), publish_outcome_unknown (it
// may be stored) or message_refused (it can never be stored).
func (p *Publisher) Send(ctx context.Context, m Message, done func(error)) {
	producer := p.producer.Load()
	if producer == nil {
		p.count("failed")
		done(unavailable(p.Ready()))
		return
	}
	message := &pulsar.ProducerMessage{Key: m.Key, Payload: m.Payload, Properties: m.Properties, EventTime: m.EventTime}
	(*producer).SendAsync(ctx, message, func(_ pulsar.MessageID, _ *pulsar.ProducerMessage, err error) {
		if err == nil {
			p.count("published")
			done(nil)
			return
		}
		p.count("failed")
		done(p.outcome(err))
	})
}

// Publish is Send that waits for the answer, or until ctx ends.
func (p *Publisher) Publish(ctx context.Context, m Message) error {
	answer := make(chan error, 1)
	p.Send(ctx, m, func(err error) { answer <- err })
	select {
	case err := <-answer:
		return err
	case <-ctx.Done():
		return unknown(ctx.Err())
	}
}

func (p *Publisher) count(outcome string) {
	p.client.messages.WithLabelValues(p.cfg.Topic, outcome).Inc()
}

// outcome judges an error of the client. Where the producer is gone for good, Run is told to make a new one.
func (p *Publisher) outcome(err error) error {
	switch {
	case errors.Is(err, pulsar.ErrProducerClosed), errors.Is(err, pulsar.ErrTopicNotfound),
		errors.Is(err, pulsar.ErrTopicTerminated), errors.Is(err, pulsar.ErrProducerFenced):
		select {
		case p.lost <- struct{}{}:
		default:
		}
		return unavailable(err)
	case errors.Is(err, pulsar.ErrMessageTooLarge), errors.Is(err, pulsar.ErrMetaTooLarge), errors.Is(err, pulsar.ErrInvalidMessage), errors.Is(err, pulsar.ErrSchema):
		return fault.Because(err, fault.TooLarge, "message_refused", "The broker cannot store a message of this size or shape.")
	case errors.Is(err, pulsar.ErrSendQueueIsFull), errors.Is(err, pulsar.ErrMemoryBufferIsFull), errors.Is(err, pulsar.ErrProducerBlockedQuotaExceeded):
		return unavailable(err)
	}
	return unknown(err)
}

func unavailable(err error) error {
	return fault.RetryIn(retryAfter, "broker_unavailable", "The broker does not answer; nothing was published by this request.", err)
}

func unknown(err error) error {
	return fault.RetryIn(retryAfter, "publish_outcome_unknown",
		"The broker did not confirm in time; the message may be stored. Trying again with the same Idempotency-Key is safe.", err)
}
