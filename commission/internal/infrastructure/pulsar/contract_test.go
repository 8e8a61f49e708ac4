package pulsar_test

import (
	"context"
	"crypto/rand"
	"errors"
	"testing"
	"time"

	"tributary/commission/internal/application/eventlog"
	"tributary/commission/internal/infrastructure/pulsar"
	"tributary/contracts"
	"tributary/platform/broker"
	"tributary/platform/brokertest"
	"tributary/platform/relay/relaytest"
)

// entry returns the event of the user with the number.
func entry(user string, number int) eventlog.Event {
	return eventlog.Event{
		Place:    eventlog.Position{Tx: 9, Seq: int64(number)},
		At:       time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC),
		Type:     "payout.completed",
		UserID:   user,
		Sequence: int64(number),
	}
}

// renderOf returns the id of the event, which is large or cannot be rendered for two of the users.
func renderOf(e eventlog.Event) ([]byte, error) {
	switch e.UserID {
	case "large":
		noise := make([]byte, 6<<20) // what is alike would be compressed
		_, err := rand.Read(noise)

		return noise, err
	case "unclear":
		return nil, errors.New("the event is unclear")
	}

	return render(e)
}

func TestThePublisherKeepsTheContract(t *testing.T) {
	t.Parallel()

	schema, err := contracts.AvroSchema(contracts.CommissionEventV1)
	if err != nil {
		t.Fatal(err)
	}

	plan, err := contracts.Plan(contracts.TrackingEvents)
	if err != nil {
		t.Fatal(err)
	}

	relaytest.PublisherSuite(t, func(t *testing.T) relaytest.World[eventlog.Event] {
		t.Helper()

		cfg := brokertest.Namespace(t, plan)
		topic := cfg.Topic(contracts.CommissionEvents)
		proxy := brokertest.NewProxy(t, cfg)
		arrived := relaytest.NewInbox("sequence")

		consumer := brokertest.Client(t, cfg).NewConsumer(
			broker.ConsumerConfig{Topic: topic, Subscription: contracts.NotificationService},
		)
		brokertest.Run(t, func(ctx context.Context) error { return consumer.Run(ctx, arrived.Handle) })

		newPublisher := func(to *brokertest.Proxy) *pulsar.EventPublisher {
			p := pulsar.NewEventPublisher(brokertest.Client(t, to.Config), pulsar.EventTopic{
				Name:    topic,
				Schema:  schema,
				Pending: 1000,
				Render:  renderOf,
			})
			brokertest.Run(t, p.Run)

			return p
		}

		publisher := newPublisher(proxy)

		nowhere := brokertest.NewProxy(t, cfg)
		nowhere.Cut()

		away := newPublisher(nowhere)

		return relaytest.World[eventlog.Event]{
			Publisher: publisher,
			Away:      away,
			Entry:     entry,
			Refused: map[string]eventlog.Event{
				"too large": entry("large", 1000),
				"unclear":   entry("unclear", 1001),
			},
			Stored: arrived.Wait,
			Cut:    proxy.Cut,
			Heal:   proxy.Heal,
		}
	})
}
