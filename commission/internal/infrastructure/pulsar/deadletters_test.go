package pulsar_test

import (
	"context"
	"maps"
	"testing"
	"time"

	"tributary/commission/internal/api/events/eventstest"
	"tributary/commission/internal/infrastructure/pulsar"
	"tributary/contracts"
	"tributary/platform/broker"
	"tributary/platform/brokertest"
)

// at is when all letters are put.
func at() time.Time { return time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC) }

// letterOf returns the letter without what the adapter adds to the message.
func letterOf(t *testing.T, m broker.Received) eventstest.Letter {
	t.Helper()

	if got := m.Properties[pulsar.PropertyAt]; got != "2026-11-26T12:00:00Z" {
		t.Errorf("put at %q", got)
	}

	letter := eventstest.Letter{Message: m, Reason: m.Properties[pulsar.PropertyReason]}
	letter.Message.Topic = m.Properties[pulsar.PropertyTopic]
	letter.Message.Properties = maps.Clone(m.Properties)

	for _, added := range []string{
		pulsar.PropertyReason,
		pulsar.PropertyTopic,
		pulsar.PropertyMessage,
		pulsar.PropertyAt,
	} {
		if _, found := m.Properties[added]; !found {
			t.Errorf("no property %s", added)
		}

		delete(letter.Message.Properties, added)
	}

	return letter
}

// ready waits until messages can be published.
func ready(t *testing.T, p *broker.Publisher) {
	t.Helper()

	look := time.NewTicker(10 * time.Millisecond)
	defer look.Stop()

	deadline := time.After(time.Minute)

	for p.Ready() != nil {
		select {
		case <-look.C:
		case <-deadline:
			t.Fatal(p.Ready())
		}
	}
}

func TestTheDeadLettersKeepTheContract(t *testing.T) {
	t.Parallel()

	plan, err := contracts.Plan(contracts.TrackingEvents)
	if err != nil {
		t.Fatal(err)
	}

	eventstest.Suite(t, func(t *testing.T) eventstest.World {
		t.Helper()

		cfg := brokertest.Namespace(t, plan)
		topic := cfg.Topic(contracts.TrackingEventsDeadLetter)

		publisher := func(cfg broker.Config) *broker.Publisher {
			p := brokertest.Client(t, cfg).NewPublisher(broker.PublisherConfig{Topic: topic})
			brokertest.Run(t, p.Run)

			return p
		}

		working := publisher(cfg)
		ready(t, working)

		nowhere := brokertest.NewProxy(t, cfg)
		nowhere.Cut()

		arrived := make(chan broker.Received, 100)
		consumer := brokertest.Client(t, cfg).NewConsumer(
			broker.ConsumerConfig{Topic: topic, Subscription: contracts.Operator},
		)
		brokertest.Run(t, func(ctx context.Context) error {
			return consumer.Run(ctx, func(_ context.Context, batch []broker.Received) error {
				for _, m := range batch {
					arrived <- m
				}

				return nil
			})
		})

		return eventstest.World{
			Letters: pulsar.NewDeadLetters(working, at),
			Away:    pulsar.NewDeadLetters(publisher(nowhere.Config), at),
			Stored: func(t *testing.T, number int) []eventstest.Letter {
				t.Helper()

				deadline := time.After(time.Minute)

				var letters []eventstest.Letter

				for len(letters) < number {
					select {
					case m := <-arrived:
						letters = append(letters, letterOf(t, m))
					case <-deadline:
						t.Fatalf("%d of %d letters arrived", len(letters), number)
					}
				}

				return letters
			},
		}
	})
}
