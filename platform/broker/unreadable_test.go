package broker_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"testing"

	"github.com/apache/pulsar-client-go/pulsar"
	"github.com/prometheus/client_golang/prometheus"

	"tributary/platform/broker"
	"tributary/platform/brokertest"
)

// publishEmpty publishes a message that holds nothing at all, as this package never does, and
// returns its id.
func publishEmpty(t *testing.T, cfg broker.Config) string {
	t.Helper()

	client, err := pulsar.NewClient(pulsar.ClientOptions{URL: cfg.ServiceURL})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()

	producer, err := client.CreateProducer(pulsar.ProducerOptions{
		Topic:           cfg.Topic(topic),
		DisableBatching: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	defer producer.Close()

	id, err := producer.Send(t.Context(), &pulsar.ProducerMessage{Payload: []byte{}})
	if err != nil {
		t.Fatal(err)
	}

	return fmt.Sprint(id.LedgerID(), " ", id.EntryID())
}

// seenBy consumes until stop; what it is handed comes on the channels.
func seenBy(
	t *testing.T,
	cfg broker.Config,
	unreadable func(context.Context, broker.Received) error,
) (payloads chan string, stop func()) {
	t.Helper()

	client, err := broker.Dial(
		cfg,
		// such as LOG_LEVEL=error: what is not logged must be found too
		slog.New(slog.DiscardHandler),
		prometheus.NewRegistry(),
	)
	if err != nil {
		t.Fatal(err)
	}

	t.Cleanup(client.Close)

	payloads = make(chan string, 100)
	consumer := client.NewConsumer(broker.ConsumerConfig{
		Topic:        cfg.Topic(topic),
		Subscription: "kept",
		Unreadable:   unreadable,
	})

	return payloads, brokertest.Run(t, func(ctx context.Context) error {
		return consumer.Run(ctx, func(_ context.Context, batch []broker.Received) error {
			for _, m := range batch {
				payloads <- string(m.Payload)
			}

			return nil
		})
	})
}

// A message that the client library discards is acknowledged only once it is stored: it is tried
// again after an error, and comes again after a stop in the middle. Then it never comes again.
func TestEmptyMessagesAreStoredBeforeTheyAreAcknowledged(t *testing.T) {
	t.Parallel()
	cfg := brokertest.Namespace(t, plan(1, "kept"))
	client := brokertest.Client(t, cfg)
	p := publisher(t, cfg, client)

	say := func(text string) {
		t.Helper()

		if err := p.Publish(t.Context(), broker.Message{Key: "k", Payload: []byte(text)}); err != nil {
			t.Fatal(err)
		}
	}

	say("before")

	id := publishEmpty(t, cfg)
	say("after")

	// The first consumer is stopped while it stores.
	tried := make(chan struct{}, 1)
	payloads, stop := seenBy(t, cfg, func(ctx context.Context, _ broker.Received) error {
		tried <- struct{}{}

		<-ctx.Done()

		return ctx.Err()
	})

	if got := <-payloads; got != "before" {
		t.Errorf("%q came first", got)
	}

	<-tried
	stop()

	if len(payloads) > 0 {
		t.Errorf("%q came past the message that is not stored", <-payloads)
	}

	// The second fails, and then stores it.
	var (
		mu     sync.Mutex
		stored []string
		calls  int
	)

	unreadable := func(_ context.Context, m broker.Received) error {
		mu.Lock()
		defer mu.Unlock()

		if calls++; calls == 1 {
			return errors.New("not yet")
		}

		stored = append(stored, m.ID())

		return nil
	}

	payloads, stop = seenBy(t, cfg, unreadable)
	for got := range payloads {
		if got == "after" {
			break
		}
	}

	stop()

	// The third is handed what is new.
	payloads, stop = seenBy(t, cfg, unreadable)
	say("new")

	for got := range payloads {
		if got == "new" {
			break
		}
	}

	stop()

	mu.Lock()
	defer mu.Unlock()

	if len(stored) != 1 || calls != 2 {
		t.Fatalf("stored %v in %d calls, want one, %s, in 2", stored, calls, id)
	}

	var ledger, entry int64
	if _, err := fmt.Sscanf(stored[0], "%d:%d:", &ledger, &entry); err != nil ||
		fmt.Sprint(ledger, " ", entry) != id {
		t.Errorf("stored %s, want %s", stored[0], id)
	}
}
