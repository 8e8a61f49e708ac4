package broker_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"tributary/platform/broker"
	"tributary/platform/brokertest"
)

// Only unhandled messages are delivered to the next process.
func TestRestartBringsWhatWasNotHandled(t *testing.T) {
	t.Parallel()
	cfg := brokertest.Namespace(t, plan(2, "kept"))
	client := brokertest.Client(t, cfg)

	p := publisher(t, cfg, client)
	for n := range 20 {
		if err := p.Publish(
			t.Context(),
			broker.Message{Key: "k", Payload: fmt.Append(nil, n)},
		); err != nil {
			t.Fatal(err)
		}
	}

	held := make(chan struct{})
	handled := 0
	c := client.NewConsumer(
		broker.ConsumerConfig{Topic: cfg.Topic(topic), Subscription: "kept", MaxBatch: 1},
	)
	stop := brokertest.Run(t, func(ctx context.Context) error {
		return c.Run(ctx, func(context.Context, []broker.Received) error {
			if handled == 5 {
				closeOnce(held)
				return errors.New("database away")
			}

			handled++

			return nil
		})
	})
	<-held
	stop()

	got := read(t, cfg, 15)["k"]
	if len(got) != 15 || got[0] != "5" || !inOrderFrom(got, 5) {
		t.Errorf("after the restart came %v, want 5 to 19", got)
	}
}

func inOrderFrom(values []string, from int) bool {
	for i, v := range values {
		if v != fmt.Sprint(from+i) {
			return false
		}
	}

	return true
}

// Two replicas share the partitions. When one stops, the other takes over its part, and each key
// stays in order.
func TestReplicasShareATopic(t *testing.T) {
	t.Parallel()
	cfg := brokertest.Namespace(t, plan(8, "kept"))
	p := brokertest.Client(
		t,
		cfg,
	).NewPublisher(broker.PublisherConfig{Topic: cfg.Topic(topic), Block: true})
	brokertest.Run(t, p.Run)
	eventually(t, p.Ready)

	const keys, each = 40, 30

	var mu sync.Mutex
	seen, different := map[string][]string{}, map[string]bool{}
	count := [2]int{}

	stops := [2]func(){}
	for i := range 2 {
		c := brokertest.Client(t, cfg).NewConsumer(
			broker.ConsumerConfig{Topic: cfg.Topic(topic), Subscription: "kept", MaxBatch: 50},
		)
		stops[i] = brokertest.Run(t, func(ctx context.Context) error {
			return c.Run(ctx, func(_ context.Context, batch []broker.Received) error {
				mu.Lock()
				defer mu.Unlock()

				count[i] += len(batch)
				for _, m := range batch {
					seen[m.Key] = append(seen[m.Key], string(m.Payload))
					different[m.Key+"/"+string(m.Payload)] = true
				}

				return nil
			})
		})
		eventually(t, c.Ready)
	}

	publish := func(from int) {
		for n := from; n < from+each; n++ {
			for k := range keys {
				p.Send(
					t.Context(),
					broker.Message{Key: fmt.Sprint(k), Payload: fmt.Append(nil, n)},
					func(err error) {
						if err != nil {
							t.Error(err)
						}
					},
				)
			}
		}
	}
	wait := func(n int) {
		t.Helper()
		eventually(t, func() error {
			mu.Lock()
			defer mu.Unlock()

			if len(different) != n {
				return fmt.Errorf("%d of %d messages came", len(different), n)
			}

			return nil
		})
	}
	publish(0)
	wait(keys * each)
	mu.Lock()
	if count[0] == 0 || count[1] == 0 {
		t.Errorf("the replicas got %v messages, want some for each", count)
	}

	mu.Unlock()
	stops[0]()
	publish(each)
	wait(2 * keys * each)

	for key, values := range seen {
		if !inOrder(values) {
			t.Errorf("key %s came as %v", key, values)
		}
	}
}
