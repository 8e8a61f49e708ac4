package events_test

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	client "github.com/apache/pulsar-client-go/pulsar"

	"tributary/commission/internal/api/events"
	"tributary/commission/internal/infrastructure/pulsar"
	"tributary/contracts"
	"tributary/platform/broker"
	"tributary/platform/brokertest"
)

// received consumes the topic; what is handed over comes on the channel.
func received(t *testing.T, c *broker.Client, cfg broker.ConsumerConfig) <-chan broker.Received {
	t.Helper()

	arrived := make(chan broker.Received, 100)
	consumer := c.NewConsumer(cfg)
	brokertest.Run(t, func(ctx context.Context) error {
		return consumer.Run(ctx, func(_ context.Context, batch []broker.Received) error {
			for _, m := range batch {
				arrived <- m
			}

			return nil
		})
	})

	return arrived
}

// A message without any content becomes one dead letter of its topic, and the next one is handled.
func TestEmptyMessagesBecomeDeadLetters(t *testing.T) {
	t.Parallel()

	for topic, c := range map[string]struct{ schema, dead string }{
		contracts.TrackingEvents: {contracts.TrackingEventV1, contracts.TrackingEventsDeadLetter},
		contracts.PaymentRequest: {contracts.PaymentRequestV1, contracts.PaymentRequestDeadLetter},
	} {
		t.Run(topic, func(t *testing.T) {
			t.Parallel()

			cfg := brokertest.Namespace(t, plan(t))
			service := brokertest.Client(t, cfg)
			dead := service.NewPublisher(broker.PublisherConfig{
				Topic:       cfg.Topic(c.dead),
				MaxPending:  10,
				SendTimeout: 5 * time.Second,
			})
			brokertest.Run(t, dead.Run)

			handled := received(t, service, broker.ConsumerConfig{
				Topic:        cfg.Topic(topic),
				Subscription: contracts.Commission,
				Unreadable: events.Unreadable(
					pulsar.NewDeadLetters(dead, time.Now),
					slog.New(slog.DiscardHandler),
				),
			})
			letters := received(t, service, broker.ConsumerConfig{
				Topic:        cfg.Topic(c.dead),
				Subscription: contracts.Operator,
			})

			schema, err := contracts.AvroSchema(c.schema)
			if err != nil {
				t.Fatal(err)
			}

			library, err := client.NewClient(client.ClientOptions{URL: cfg.ServiceURL})
			if err != nil {
				t.Fatal(err)
			}
			defer library.Close()

			producer, err := library.CreateProducer(client.ProducerOptions{
				Topic:           cfg.Topic(topic),
				Schema:          client.NewJSONSchema(schema, nil),
				DisableBatching: true,
				MessageRouter:   func(*client.ProducerMessage, client.TopicMetadata) int { return 0 },
			})
			if err != nil {
				t.Fatal(err)
			}
			defer producer.Close()

			for round := range 2 { // the second shows that nothing came twice in the first
				id, err := producer.Send(t.Context(), &client.ProducerMessage{Payload: []byte{}})
				if err != nil {
					t.Fatal(err)
				}

				if _, err := producer.Send(
					t.Context(),
					&client.ProducerMessage{Payload: []byte("next")},
				); err != nil {
					t.Fatal(err)
				}

				if m := <-handled; string(m.Payload) != "next" {
					t.Errorf("round %d: %q was handed over", round, m.Payload)
				}

				letter := <-letters

				reason := letter.Properties[pulsar.PropertyReason]
				if !strings.HasPrefix(reason, "message_unreadable: ") || len(letter.Payload) > 0 ||
					!strings.HasPrefix(letter.Properties[pulsar.PropertyTopic], cfg.Topic(topic)) {
					t.Errorf("round %d: %+v", round, letter)
				}

				at := strings.Split(letter.Properties[pulsar.PropertyMessage], ":")
				sent := strings.Split(id.String(), ":")

				if len(at) < 3 || at[0] != sent[0] || at[1] != sent[1] || at[2] != sent[2] {
					t.Errorf("round %d: dead letter of %v, sent %s", round, at, id)
				}
			}

			if len(letters) > 0 {
				t.Errorf("another dead letter: %+v", <-letters)
			}
		})
	}
}
