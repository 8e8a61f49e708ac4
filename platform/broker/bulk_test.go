package broker_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"tributary/platform/broker"
	"tributary/platform/brokertest"
)

// Messages that are alike take a part of their bytes, and arrive whole and in order.
func TestBulkIsCompressed(t *testing.T) {
	t.Parallel()
	cfg := brokertest.Namespace(t, plan(1, "kept"))
	client := brokertest.Client(t, cfg)
	p := client.NewPublisher(broker.PublisherConfig{Topic: cfg.Topic(topic), Bulk: true})
	brokertest.Run(t, p.Run)
	eventually(t, p.Ready)

	const number, size = 300, 2000

	var want []string

	confirmed := make(chan error, number)

	for n := range number {
		payload := strings.Repeat(fmt.Sprintf("%05d,", n), size/6)
		want = append(want, payload)

		m := broker.Message{Key: "k", Payload: []byte(payload)}
		p.Send(t.Context(), m, func(err error) { confirmed <- err })
	}

	for range number {
		if err := <-confirmed; err != nil {
			t.Fatal(err)
		}
	}

	stored, err := brokertest.NewAdmin(t, cfg).Stored(t.Context(), topic)
	if err != nil || stored == 0 || stored > number*size/4 {
		t.Errorf("the broker stores %d bytes of %d: %v", stored, number*size, err)
	}

	received := make(chan string, number)
	c := client.NewConsumer(broker.ConsumerConfig{Topic: cfg.Topic(topic), Subscription: "kept"})
	brokertest.Run(t, func(ctx context.Context) error {
		return c.Run(ctx, func(_ context.Context, batch []broker.Received) error {
			for _, m := range batch {
				received <- string(m.Payload)
			}

			return nil
		})
	})

	var got []string
	for range number {
		got = append(got, <-received)
	}

	if !slices.Equal(got, want) {
		t.Error("other messages, or in another order")
	}
}
