package broker

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/apache/pulsar-client-go/pulsar"
)

const (
	tick        = 250 * time.Millisecond
	silentTicks = 4 // without an answer while messages are pending, before new ones are refused
	// Without an answer while no message is pending, before the broker is asked whether it is
	// there.
	idleTicks = 12
	// With the same message pending while the broker answers, before the producer is replaced.
	deafTicks = 32
	// Before the broker is asked whether the topic has more partitions now.
	partitionTicks = 240
)

// Run connects and keeps the publisher connected until ctx ends. It then waits up to 10 s until
// every message handed over is answered. It returns nil.
func (p *Publisher) Run(ctx context.Context) error {
	reason := "start"
	for ctx.Err() == nil {
		producer, err := create(ctx, p.client, p.connect, (*producers).Close)
		if err != nil {
			if ctx.Err() == nil {
				err = refusal(p.cfg.Topic, "produce", err)
				p.trouble.Store(&err)
				p.client.logger.WarnContext(
					ctx,
					"cannot publish yet",
					"topic",
					p.cfg.Topic,
					"error",
					err,
				)
				wait(ctx, maxBackoff)
			}

			continue
		}

		s := newSession(producer)
		p.current.Store(s)
		p.trouble.Store(nil)
		p.client.metrics.connects.WithLabelValues(p.cfg.Topic, reason).Inc()
		p.client.logger.InfoContext(ctx, "publishing", "topic", p.cfg.Topic)
		p.watch(ctx, s)
		p.current.Store(nil)
		p.retire(ctx, s)
		reason = "lost"
	}

	return nil
}

func (p *Publisher) connect() (*producers, error) {
	options := pulsar.ProducerOptions{
		Topic:                   p.cfg.Topic,
		SendTimeout:             p.cfg.SendTimeout,
		BackOffPolicyFunc:       capped,
		MaxPendingMessages:      p.cfg.MaxPending,
		DisableBlockIfQueueFull: true, // never reached: the publisher's own bound is lower
	}
	if p.cfg.Bulk {
		options.BatchingMaxSize = bulkBytes
		options.CompressionType = pulsar.LZ4
	}

	if p.cfg.Schema != "" {
		schema, err := jsonSchema(p.cfg.Schema)
		if err != nil {
			return nil, fmt.Errorf("schema of %s: %w", p.cfg.Topic, err)
		}

		options.Schema = schema
	}

	opened, err := openProducers(p.client.pulsar, options, p.partitions.Load())
	if err == nil {
		p.partitions.Store(int64(len(opened.all)))
	}

	return opened, err
}

// jsonSchema declares a JSON payload by its Avro definition. The library rewrites the definition to
// its canonical form.
func jsonSchema(definition string) (pulsar.Schema, error) {
	return pulsar.NewJSONSchemaWithValidation(definition, nil)
}

// watch returns when ctx ends or the producer is closed. The library hides a lost broker: sends
// just wait. The publisher therefore watches the answers: if none arrives for a second while some
// are due, or the broker does not answer a question, Ready returns an error. The library also lets
// a producer go deaf without an error when the broker refuses a message by a limit of the topic.
// The publisher creates a new one if a message stays pending although the broker answers.
func (p *Publisher) watch(ctx context.Context, s *session) {
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	probes := make(chan error, 1)

	var (
		ticks  int
		quiet  int
		last   uint64
		asking bool
		oldest *send
	)

	var waits int // ticks that the oldest message has waited since the broker was away
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.gone:
			p.client.logger.WarnContext(
				ctx,
				"the producer is closed; creating a new one",
				"topic",
				p.cfg.Topic,
			)

			return
		case err := <-probes:
			asking, quiet = false, 0

			switch {
			case err != nil:
				waits = 0
			case waits >= deafTicks && s.oldest() == oldest:
				err = errDeaf
			}

			p.note(ctx, s, err)
		case <-ticker.C:
			pending, answers := s.state()
			if quiet++; answers != last {
				quiet, last = 0, answers
			}

			if pending > 0 && quiet == silentTicks {
				p.note(ctx, s, errSilent)
			}

			if waits++; pending == 0 || s.oldest() != oldest {
				oldest, waits = s.oldest(), 0
			}

			troubled := p.trouble.Load() != nil || waits >= deafTicks
			ticks++
			asks := troubled || (pending == 0 && quiet >= idleTicks) || ticks%partitionTicks == 0

			if !asking && asks {
				asking = true
				p.client.calls.Go(func() { probes <- p.ask(ctx, s) })
			}
		}
	}
}

// ask asks the broker for the topic, and the library for the producer.
func (p *Publisher) ask(ctx context.Context, s *session) error {
	topics, err := p.client.pulsar.TopicPartitions(p.cfg.Topic)
	switch {
	case err != nil:
		return err
	case len(topics) > len(s.producer.all): // fewer: the topic is being deleted
		return errPartitions
	}

	if pending, _ := s.state(); pending > 0 {
		return nil
	}

	flush, cancel := context.WithTimeout(ctx, tick)
	defer cancel()

	if err := s.alive(flush); errors.Is(err, pulsar.ErrProducerClosed) {
		return err
	}

	return nil
}

func (p *Publisher) note(ctx context.Context, s *session, err error) {
	switch {
	case err == nil, ctx.Err() != nil:
		if p.trouble.Swap(nil) != nil {
			p.client.logger.InfoContext(ctx, "the broker answers again", "topic", p.cfg.Topic)
		}
	case errors.Is(err, pulsar.ErrProducerClosed),
		errors.Is(err, errDeaf),
		errors.Is(err, errPartitions):
		s.lose()
	default:
		err = refusal(p.cfg.Topic, "produce", err)
		if p.trouble.Swap(&err) == nil {
			p.client.logger.WarnContext(
				ctx,
				"the broker does not answer",
				"topic",
				p.cfg.Topic,
				"error",
				err,
			)
		}
	}
}

// retire waits for pending messages, closes the producer and answers the remaining messages.
func (p *Publisher) retire(ctx context.Context, s *session) {
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), flushTimeout)
	defer cancel()
	s.drain(drain)

	if !within(closeTimeout, s.producer.Close) {
		p.client.logger.WarnContext(
			ctx,
			"the producer does not close; continuing without it",
			"topic",
			p.cfg.Topic,
		)
	}

	left := s.abandon()
	if len(left) > 0 {
		p.client.logger.WarnContext(
			ctx,
			"messages were not confirmed before the producer ended",
			"topic",
			p.cfg.Topic,
			"messages",
			len(left),
		)
	}

	for _, d := range left {
		p.finish(s, d, pulsar.ErrProducerClosed)
	}
}
