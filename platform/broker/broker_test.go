package broker_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"tributary/platform/broker"
	"tributary/platform/brokertest"
)

const topic = "things"

func adminURL() string { return os.Getenv("TEST_PULSAR_ADMIN_URL") }

func plan(partitions int, subscriptions ...string) broker.Plan {
	return broker.Plan{
		Retention: time.Hour,
		Topics: []broker.Topic{
			{Name: topic, Partitions: partitions, Subscriptions: subscriptions},
		},
	}
}

// publisher returns a running, connected publisher.
func publisher(t *testing.T, cfg broker.Config, client *broker.Client) *broker.Publisher {
	t.Helper()
	p := client.NewPublisher(
		broker.PublisherConfig{
			Topic:       cfg.Topic(topic),
			MaxPending:  1000,
			SendTimeout: 10 * time.Second,
		},
	)
	brokertest.Run(t, p.Run)
	eventually(t, p.Ready)

	return p
}

func eventually(t *testing.T, ready func() error) {
	t.Helper()

	if err := within(t, 20*time.Second, ready); err != nil {
		t.Fatalf("not in time: %v", err)
	}
}

// within polls ask until it returns nil or the limit has passed, and returns the last answer.
func within(t *testing.T, limit time.Duration, ask func() error) error {
	t.Helper()

	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()

	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()

	for {
		err := ask()
		if err == nil {
			return nil
		}

		select {
		case <-tick.C:
		case <-ctx.Done():
			return err
		}
	}
}

func TestMessagesOfAKeyComeInOrderThroughPartitions(t *testing.T) {
	t.Parallel()
	cfg := brokertest.Namespace(t, plan(4, "kept"))
	client := brokertest.Client(t, cfg)
	p := publisher(t, cfg, client)

	const keys, each = 7, 50
	confirmed := make(chan error, keys*each)

	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for n := range each {
		for k := range keys {
			m := broker.Message{
				Key:        fmt.Sprint(k),
				Payload:    fmt.Append(nil, n),
				Properties: map[string]string{"n": fmt.Sprint(n)},
				EventTime:  at,
			}
			p.Send(t.Context(), m, func(err error) { confirmed <- err })
		}
	}

	for range keys * each {
		if err := <-confirmed; err != nil {
			t.Fatal(err)
		}
	}

	var mu sync.Mutex

	got := map[string][]string{}
	enough := make(chan struct{})
	count := 0
	c := client.NewConsumer(broker.ConsumerConfig{
		Topic:        cfg.Topic(topic),
		Subscription: "kept",
		MaxBatch:     16,
		Workers:      3,
	})
	brokertest.Run(t, func(ctx context.Context) error {
		return c.Run(ctx, func(_ context.Context, batch []broker.Received) error {
			mu.Lock()
			defer mu.Unlock()

			for _, m := range batch {
				got[m.Key] = append(got[m.Key], string(m.Payload))
				if m.Properties["n"] != string(m.Payload) || !m.EventTime.Equal(at) ||
					m.ID() == "" ||
					m.PublishTime.IsZero() {
					t.Errorf("message came as %+v", m)
				}
			}

			if count += len(batch); count == keys*each {
				close(enough)
			}

			return nil
		})
	})
	<-enough

	for key, values := range got {
		for n, v := range values {
			if v != fmt.Sprint(n) {
				t.Fatalf("key %s: message %d is %s, want order kept", key, n, v)
			}
		}
	}
}

func TestABatchIsHeldUntilItIsHandledAndThenAcknowledged(t *testing.T) {
	t.Parallel()
	cfg := brokertest.Namespace(t, plan(0, "kept"))
	client := brokertest.Client(t, cfg)

	p := publisher(t, cfg, client)
	for n := range 3 {
		if err := p.Publish(
			t.Context(),
			broker.Message{Key: "k", Payload: fmt.Append(nil, n)},
		); err != nil {
			t.Fatal(err)
		}
	}

	var seen []string
	done := make(chan struct{})
	c := client.NewConsumer(
		broker.ConsumerConfig{Topic: cfg.Topic(topic), Subscription: "kept", MaxBatch: 1},
	)
	failures := 2
	stop := brokertest.Run(t, func(ctx context.Context) error {
		return c.Run(ctx, func(_ context.Context, batch []broker.Received) error {
			if failures > 0 {
				failures--
				return errors.New("database away")
			}

			seen = append(seen, string(batch[0].Payload))
			if len(seen) == 3 {
				close(done)
			}

			return nil
		})
	})
	<-done
	stop()

	if want := []string{"0", "1", "2"}; !slices.Equal(seen, want) {
		t.Fatalf("handled %v, want %v", seen, want)
	}

	if err := p.Publish(t.Context(), broker.Message{Key: "k", Payload: []byte("3")}); err != nil {
		t.Fatal(err)
	}

	first := make(chan string, 10)
	again := client.NewConsumer(
		broker.ConsumerConfig{Topic: cfg.Topic(topic), Subscription: "kept", MaxBatch: 1},
	)
	brokertest.Run(t, func(ctx context.Context) error {
		return again.Run(ctx, func(_ context.Context, batch []broker.Received) error {
			first <- string(batch[0].Payload)
			return nil
		})
	})

	if got := <-first; got != "3" {
		t.Fatalf("after the stop message %s came again, want those before 3 acknowledged", got)
	}
}

func TestWithoutABrokerPublishingFailsAtOnce(t *testing.T) {
	t.Parallel()

	var lc net.ListenConfig

	listener, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}

	address := listener.Addr().String()
	_ = listener.Close()

	client, err := broker.Dial(
		broker.Config{ServiceURL: "pulsar://" + address},
		slog.New(slog.DiscardHandler),
		prometheus.NewRegistry(),
	)
	if err != nil {
		t.Fatal(err)
	}

	t.Cleanup(client.Close)
	p := client.NewPublisher(
		broker.PublisherConfig{Topic: "t", MaxPending: 10, SendTimeout: time.Second},
	)
	brokertest.Run(t, p.Run)

	if err := p.Publish(t.Context(), broker.Message{}); !errors.Is(err, broker.ErrUnavailable) {
		t.Fatalf("Publish = %v, want ErrUnavailable", err)
	}

	if client.Ping(t.Context()) == nil || p.Ready() == nil {
		t.Fatal("without a broker Ping or Ready is nil")
	}
}

func TestAMessageThatIsTooLargeIsRefused(t *testing.T) {
	t.Parallel()
	cfg := brokertest.Namespace(t, plan(0))
	p := publisher(t, cfg, brokertest.Client(t, cfg))

	err := p.Publish(t.Context(), broker.Message{Payload: make([]byte, 6<<20)})
	if !errors.Is(err, broker.ErrRefused) {
		t.Fatalf("Publish of 6 MiB = %v, want ErrRefused", err)
	}

	if err := p.Publish(t.Context(), broker.Message{Payload: []byte("small")}); err != nil {
		t.Fatalf("Publish after a refusal = %v", err)
	}
}

func TestConfig(t *testing.T) {
	t.Parallel()

	good := broker.Config{
		ServiceURL: "pulsar+ssl://broker.example:6651",
		Tenant:     "a",
		Namespace:  "b",
	}
	if faults := good.Validate(); len(faults) != 0 || good.Plaintext() {
		t.Errorf("Validate = %v, Plaintext = %t", faults, good.Plaintext())
	}

	if got := good.Topic("c"); got != "persistent://a/b/c" || good.Topic(got) != got {
		t.Errorf("Topic = %s", got)
	}

	if bad := (broker.Config{ServiceURL: "http://x"}); len(bad.Validate()) != 2 ||
		!bad.Plaintext() {
		t.Errorf("Validate = %v, want two faults", bad.Validate())
	}
}

func TestMain(m *testing.M) {
	// the admin client keeps idle HTTP connections; the library's look-ups and timers end some
	// seconds after their producer
	goleak.VerifyTestMain(
		m,
		goleak.IgnoreAnyFunction(
			"github.com/apache/pulsar-client-go/pulsar.(*partitionProducer).failTimeoutMessages",
		),
		goleak.IgnoreAnyFunction(
			"github.com/apache/pulsar-client-go/pulsar.(*partitionProducer).reconnectToBroker",
		),
		// It never ends this one for a producer that it closed itself (topic deleted): 0.21.0
		// closes it without cancelling.
		goleak.IgnoreTopFunction(
			"github.com/apache/pulsar-client-go/pulsar.(*partitionProducer).runEventsLoop.func1",
		),
		goleak.IgnoreAnyFunction("net/http.(*persistConn).readLoop"),
		goleak.IgnoreAnyFunction("net/http.(*persistConn).writeLoop"),
	)
}
