package pulsar

import (
	"context"
	"fmt"
	"strconv"

	"tributary/commission/internal/application/eventlog"
	"tributary/platform/broker"
	"tributary/platform/relay"
)

// EventPublisher publishes the log of changes. Run owns its connection.
type EventPublisher struct {
	topic  *broker.Publisher
	render func(eventlog.Event) ([]byte, error)
}

var _ relay.Publisher[eventlog.Event] = (*EventPublisher)(nil)

// EventTopic is the topic of events. Schema is the Avro definition that the broker compares with
// the topic's; Pending bounds the messages that are sent but not confirmed; Render writes the
// payload of a message.
type EventTopic struct {
	Name    string
	Schema  string
	Pending int
	Render  func(eventlog.Event) ([]byte, error)
}

// NewEventPublisher returns a publisher. A send has no time limit, so that after an outage the
// library sends all pending messages again in their order.
func NewEventPublisher(client *broker.Client, topic EventTopic) *EventPublisher {
	return &EventPublisher{
		topic: client.NewPublisher(broker.PublisherConfig{
			Topic:       topic.Name,
			Schema:      topic.Schema,
			MaxPending:  topic.Pending,
			SendTimeout: broker.Unlimited,
			Bulk:        true,
		}),
		render: topic.Render,
	}
}

// Run keeps the publisher connected until ctx ends, and then sends the remaining events. It returns
// nil.
func (p *EventPublisher) Run(ctx context.Context) error { return p.topic.Run(ctx) }

// Ready is a readiness probe.
func (p *EventPublisher) Ready(context.Context) error { return p.topic.Ready() }

func (p *EventPublisher) Send(ctx context.Context, e eventlog.Event, done func(error)) {
	message, err := EventMessage(e, p.render)
	if err != nil {
		done(fmt.Errorf("%w: %w", broker.ErrRefused, err))
		return
	}

	p.topic.Send(ctx, message, done)
}

const eventSource = "tributary/commission"

// EventMessage returns the message of an event. The key keeps the events of a user, or of a rule,
// in order. With its properties it is a CloudEvents 1.0 event in binary form.
func EventMessage(
	e eventlog.Event,
	render func(eventlog.Event) ([]byte, error),
) (broker.Message, error) {
	payload, err := render(e)
	if err != nil {
		return broker.Message{}, err
	}

	id := e.ID()

	return broker.Message{
		Key:     e.Key(),
		Payload: payload,
		Properties: map[string]string{
			"event_id":       id,
			"sequence":       strconv.FormatInt(e.Sequence, 10),
			"content-type":   "application/json",
			"ce_specversion": "1.0",
			"ce_id":          id,
			"ce_type":        "tributary.commission." + string(e.Type) + ".v1",
			"ce_source":      eventSource,
		},
		EventTime: e.At,
	}, nil
}
