// Package pulsar (infrastructure) stores messages that could not be handled on dead-letter topics
// of Apache Pulsar.
package pulsar

import (
	"context"
	"maps"
	"time"

	"tributary/platform/broker"
)

// Properties of a dead letter, beside those of the message.
const (
	PropertyReason  = "dead_letter_reason"
	PropertyTopic   = "dead_letter_topic"
	PropertyMessage = "dead_letter_message_id"
	PropertyAt      = "dead_letter_at"
)

// DeadLetters publishes to a dead-letter topic.
type DeadLetters struct {
	publisher *broker.Publisher
	now       func() time.Time
}

// NewDeadLetters returns dead letters over a publisher of the dead-letter topic.
func NewDeadLetters(publisher *broker.Publisher, now func() time.Time) *DeadLetters {
	return &DeadLetters{publisher: publisher, now: now}
}

// Put publishes the message with the reason and returns nil once the broker has stored it. It may
// be stored twice.
func (d *DeadLetters) Put(ctx context.Context, m broker.Received, reason string) error {
	properties := maps.Clone(m.Properties)
	if properties == nil {
		properties = map[string]string{}
	}

	properties[PropertyReason] = reason
	properties[PropertyTopic] = m.Topic
	properties[PropertyMessage] = m.ID()
	properties[PropertyAt] = d.now().UTC().Format(time.RFC3339Nano)

	return d.publisher.Publish(ctx, broker.Message{
		Key:        m.Key,
		Payload:    m.Payload,
		Properties: properties,
		EventTime:  m.EventTime,
	})
}
