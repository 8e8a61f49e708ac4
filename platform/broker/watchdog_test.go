package broker_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/apache/pulsar-client-go/pulsar"
	"github.com/prometheus/client_golang/prometheus"

	"tributary/platform/broker"
	"tributary/platform/brokertest"
)

// On a topic whose partitions get a message now and then nothing is missing: the watchdog never
// subscribes again.
func TestTheWatchdogIsCalmWhileNothingIsMissing(t *testing.T) {
	t.Parallel()

	const partitions = 4

	cfg := brokertest.Namespace(t, plan(partitions, "kept"))
	registry := prometheus.NewRegistry()

	client, err := broker.Dial(cfg, slog.New(slog.DiscardHandler), registry)
	if err != nil {
		t.Fatal(err)
	}

	t.Cleanup(client.Close)

	p := publisher(t, cfg, client)
	came := make(chan int32, 100)
	c := client.NewConsumer(broker.ConsumerConfig{
		Topic:        cfg.Topic(topic),
		Subscription: "kept",
		IdleLimit:    50 * time.Millisecond,
	})
	brokertest.Run(t, func(ctx context.Context) error {
		return c.Run(ctx, func(_ context.Context, batch []broker.Received) error {
			for range batch {
				came <- 0
			}

			return nil
		})
	})
	eventually(t, c.Ready)

	for n := range 3 * partitions {
		done := make(chan error, 1)
		m := broker.Message{Key: fmt.Sprint(n), Payload: []byte("x")}
		p.Send(t.Context(), m, func(err error) { done <- err })

		if err := <-done; err != nil {
			t.Fatal(err)
		}

		<-came

		// Each look asks every partition: this is at least five looks.
		asked := counted(t, registry, "pulsar_client_rpc_count", "")
		eventually(t, func() error {
			if now := counted(t, registry, "pulsar_client_rpc_count", ""); now < asked+6*partitions {
				return fmt.Errorf("%v requests since the message", now-asked)
			}

			return nil
		})
	}

	if again := counted(t, registry, "broker_connects_total", "silent") +
		counted(t, registry, "broker_connects_total", "unproven"); again != 0 {
		t.Errorf("subscribed again %v times, want never: nothing was missing", again)
	}
}

// counted returns the sum of the counter, over the series of the reason unless it is empty.
func counted(t *testing.T, registry prometheus.Gatherer, name, reason string) float64 {
	t.Helper()

	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}

	sum := 0.0
	for _, family := range families {
		if family.GetName() != name {
			continue
		}

		for _, m := range family.GetMetric() {
			matches := reason == ""
			for _, label := range m.GetLabel() {
				matches = matches || (label.GetName() == "reason" && label.GetValue() == reason)
			}

			if matches {
				sum += m.GetCounter().GetValue()
			}
		}
	}

	return sum
}

// A consumer that receives nothing although messages exist is replaced, once for each newest
// message, whichever partition holds it: the library names the partition in the topic only.
func TestASilentConsumerIsReplaced(t *testing.T) {
	t.Parallel()

	for name, partition := range map[string]int32{"first partition": 0, "fourth partition": 3} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { testSilentConsumer(t, partition) })
		})
	}
}

func testSilentConsumer(t *testing.T, partition int32) {
	t.Helper()

	newest := topicMessageID{
		MessageID: pulsar.NewMessageID(1, 5, -1, 0),
		topic:     fmt.Sprintf("t-partition-%d", partition),
	}
	fake := &library{
		ack:       func(pulsar.MessageID) error { return nil },
		newest:    []pulsar.TopicMessageID{newest},
		partition: partition,
	}
	c := broker.WithLibrary(fake).NewConsumer(broker.ConsumerConfig{Topic: "t", Subscription: "s"})
	stop := running(t, func(ctx context.Context) error {
		return c.Run(ctx, func(context.Context, []broker.Received) error { return nil })
	})
	fake.consumer(0).deliver(4)
	time.Sleep(20 * time.Minute)

	if _, made := fake.made(); made != 2 {
		t.Errorf("%d consumers were made, want a second one and no more", made)
	}

	fake.consumer(1).deliver(5)
	time.Sleep(20 * time.Minute)

	if _, made := fake.made(); made != 2 || c.Ready() != nil {
		t.Errorf("%d consumers were made although nothing is missing", made)
	}

	fake.consumer(1).options.Interceptors.OnConsumerClose(nil, errors.New("TopicNotFound"))
	synctest.Wait()

	if _, made := fake.made(); made != 3 {
		t.Errorf("%d consumers were made after the library closed one, want a third", made)
	}

	stop()
}
