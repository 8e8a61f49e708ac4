package pulsar_test

import (
	"context"
	"strconv"
	"strings"
	"testing"
	"time"

	"tributary/contracts"
	"tributary/platform/broker"
	"tributary/platform/brokertest"
	"tributary/platform/relay/relaytest"
	"tributary/tracking/internal/application/ingest/ingesttest"
	"tributary/tracking/internal/domain/event"
	"tributary/tracking/internal/infrastructure/pulsar"
)

// entry returns the entry of the user with the number and the metadata.
func entry(t *testing.T, user string, number int, metadata string) event.Entry {
	t.Helper()

	snapshot := ingesttest.Event(t, strconv.Itoa(number), user, time.Now()).Snapshot()
	snapshot.Metadata = metadata

	return event.Entry{Seq: int64(number), Event: event.Restore(snapshot)}
}

func TestThePublisherKeepsTheContract(t *testing.T) {
	t.Parallel()

	schema, err := contracts.AvroSchema(contracts.TrackingEventV1)
	if err != nil {
		t.Fatal(err)
	}

	plan, err := contracts.Plan(contracts.TrackingEvents)
	if err != nil {
		t.Fatal(err)
	}

	relaytest.PublisherSuite(t, func(t *testing.T) relaytest.World[event.Entry] {
		t.Helper()

		cfg := brokertest.Namespace(t, plan)
		topic := cfg.Topic(contracts.TrackingEvents)
		proxy := brokertest.NewProxy(t, cfg)
		arrived := relaytest.NewInbox("seq")

		consumer := brokertest.Client(t, cfg).NewConsumer(
			broker.ConsumerConfig{Topic: topic, Subscription: contracts.Commission},
		)
		brokertest.Run(t, func(ctx context.Context) error { return consumer.Run(ctx, arrived.Handle) })

		publisher := pulsar.New(brokertest.Client(t, proxy.Config), topic, schema, 1000)
		brokertest.Run(t, publisher.Run)

		nowhere := brokertest.NewProxy(t, cfg)
		nowhere.Cut()

		away := pulsar.New(brokertest.Client(t, nowhere.Config), topic, schema, 1000)
		brokertest.Run(t, away.Run)

		return relaytest.World[event.Entry]{
			Publisher: publisher,
			Away:      away,
			Entry:     func(key string, number int) event.Entry { return entry(t, key, number, "") },
			Refused: map[string]event.Entry{
				"too large": entry(t, "k", 1000, `"`+strings.Repeat("x", 6<<20)+`"`),
				"no UTF-8":  entry(t, "k", 1001, "\"\xff\""),
			},
			Stored: arrived.Wait,
			Cut:    proxy.Cut,
			Heal:   proxy.Heal,
		}
	})
}
