package pulsar

import (
	"context"
	"fmt"

	"tributary/platform/broker"
	"tributary/platform/relay"
	"tributary/tracking/internal/domain/event"
)

// Publisher publishes entries of the log. Run owns its connection.
type Publisher struct{ topic *broker.Publisher }

var _ relay.Publisher[event.Entry] = (*Publisher)(nil)

// New returns a publisher. schema is the Avro definition that the broker compares with the topic's;
// pending bounds the messages that are sent but not confirmed. A send has no time limit: after an
// outage the library sends all pending messages again, in order. With a limit it would first drop
// the oldest and let a user's later events overtake. The relay decides how long is too long, and
// then starts again.
func New(client *broker.Client, topic, schema string, pending int) *Publisher {
	return &Publisher{topic: client.NewPublisher(broker.PublisherConfig{
		Topic:       topic,
		Schema:      schema,
		MaxPending:  pending,
		SendTimeout: broker.Unlimited,
	})}
}

// Run keeps the publisher connected until ctx ends, and then sends the remaining events. It returns
// nil.
func (p *Publisher) Run(ctx context.Context) error { return p.topic.Run(ctx) }

// Ready is a readiness probe.
func (p *Publisher) Ready(context.Context) error { return p.topic.Ready() }

func (p *Publisher) Send(ctx context.Context, entry event.Entry, done func(error)) {
	message, err := messageOf(entry)
	if err != nil {
		done(fmt.Errorf("%w: %w", broker.ErrRefused, err))
		return
	}

	p.topic.Send(ctx, message, done)
}
