package broker

import (
	"context"
	"log/slog"
	"time"

	"github.com/apache/pulsar-client-go/pulsar"
)

// The client library (0.21.0) hands over no message that it cannot read: an empty one without
// properties, or a damaged one. It logs discardText and then acknowledges the message, on the
// goroutine that reads the connection. Its log is the only place where the message can be seen and
// the acknowledgement held up.
const discardText = "Discarding corrupted message"

// discards is the handler of the client library's log for a consumer. It calls keep before the
// library acknowledges a message that it discards, and returns when keep does.
type discards struct {
	slog.Handler

	topic string
	id    pulsar.MessageID
	keep  func(topic string, id pulsar.MessageID)
}

// Enabled is part of slog.Handler. Errors are always enabled: a discarded message is one.
func (d discards) Enabled(ctx context.Context, theirs slog.Level) bool {
	return theirs >= slog.LevelError || d.Handler.Enabled(ctx, theirs)
}

// Handle is part of slog.Handler.
func (d discards) Handle(ctx context.Context, r slog.Record) error {
	if r.Message == discardText && d.id != nil {
		d.keep(d.topic, d.id)
	}

	if !d.Handler.Enabled(ctx, r.Level) {
		return nil
	}

	return d.Handler.Handle(ctx, r)
}

// WithAttrs is part of slog.Handler.
func (d discards) WithAttrs(attrs []slog.Attr) slog.Handler {
	for _, a := range attrs {
		if a.Key == "topic" {
			d.topic = a.Value.String()
		}

		if id, ok := a.Value.Any().(interface {
			GetLedgerId() uint64
			GetEntryId() uint64
			GetPartition() int32
		}); ok && a.Key == "msgID" {
			//nolint:gosec // ids of the broker are not negative
			d.id = pulsar.NewMessageID(int64(id.GetLedgerId()), int64(id.GetEntryId()), -1, id.GetPartition())
		}
	}

	d.Handler = d.Handler.WithAttrs(attrs)

	return d
}

// WithGroup is part of slog.Handler.
func (d discards) WithGroup(name string) slog.Handler {
	d.Handler = d.Handler.WithGroup(name)
	return d
}

// keeper stores the messages that the client library discards.
type keeper struct {
	consumer *Consumer
	found    chan unreadable
	closed   chan struct{}      // closed once the library can acknowledge nothing more
	last     map[int32]position // newest stored message of each partition
}

// unreadable is a message that waits to be stored.
type unreadable struct {
	message Received
	stored  chan struct{} // closed once it is
}

// keep returns once the message is stored, or the connection is closed: then the library's
// acknowledgement is not sent, and the message is delivered again. It blocks the connection.
func (k *keeper) keep(topic string, id pulsar.MessageID) {
	u := unreadable{
		message: Received{Topic: topic, id: id},
		stored:  make(chan struct{}),
	}

	select {
	case k.found <- u:
	case <-k.closed:
		return
	}

	select {
	case <-u.stored:
	case <-k.closed:
	}
}

// run stores what is found until ctx ends.
func (k *keeper) run(ctx context.Context) {
	for {
		select {
		case u := <-k.found:
			if k.store(ctx, u.message) {
				close(u.stored)
			}
		case <-ctx.Done():
			return
		}
	}
}

// store tries until the message is stored. It returns false if ctx ends before. A message that
// came again because its connection broke meanwhile is stored once.
func (k *keeper) store(ctx context.Context, m Received) bool {
	c := k.consumer
	partition := m.id.PartitionIdx()

	if at(m.id) == k.last[partition] {
		return true
	}

	for pause := 100 * time.Millisecond; ; pause = min(2*pause, maxHold) {
		err := c.cfg.Unreadable(ctx, m)
		if err == nil {
			k.last[partition] = at(m.id)
			c.client.metrics.messages.WithLabelValues(c.cfg.Topic, "unreadable").Inc()

			return true
		}

		c.client.logger.WarnContext(
			ctx,
			"unreadable message held: it will be tried again",
			"topic",
			m.Topic,
			"message_id",
			m.ID(),
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

// ownLibrary returns a client of the library for this consumer alone, which hands what it discards
// to Unreadable, and the function that ends it. A connection of its own can be held up while the
// message is published over another.
func (c *Consumer) ownLibrary(ctx context.Context) (pulsar.Client, func(), error) {
	k := &keeper{
		consumer: c,
		found:    make(chan unreadable),
		closed:   make(chan struct{}),
		last:     map[int32]position{},
	}

	library, err := c.client.dial(discards{Handler: newQuiet(c.client.logger.Handler()), keep: k.keep})
	if err != nil {
		return nil, nil, err
	}

	done := make(chan struct{})
	go func() {
		defer close(done)
		k.run(ctx)
	}()

	return library, func() {
		<-done

		ended := make(chan struct{})
		c.client.calls.Go(func() {
			defer close(ended)
			library.Close()
			close(k.closed)
		})
		within(closeTimeout, func() { <-ended })
	}, nil
}
