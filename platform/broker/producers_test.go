package broker_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/apache/pulsar-client-go/pulsar"

	"tributary/platform/broker"
	"tributary/platform/brokertest"
)

// Every key goes to the partition that the library's own producer would choose, so that messages of
// a key stay in order when another version of the service goes on.
func TestKeysHaveThePartitionsOfTheLibrary(t *testing.T) {
	t.Parallel()
	cfg := brokertest.Namespace(t, plan(4, "kept"))
	p := publisher(t, cfg, brokertest.Client(t, cfg))

	client, err := pulsar.NewClient(pulsar.ClientOptions{URL: cfg.ServiceURL})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()

	theirs, err := client.CreateProducer(pulsar.ProducerOptions{Topic: cfg.Topic(topic)})
	if err != nil {
		t.Fatal(err)
	}
	defer theirs.Close()

	const keys = 40
	for n := range keys {
		key := fmt.Sprintf("user-%d-é", n*n)
		if err := p.Publish(t.Context(), broker.Message{Key: key, Payload: []byte("ours")}); err != nil {
			t.Fatal(err)
		}

		if _, err := theirs.Send(t.Context(), &pulsar.ProducerMessage{Key: key, Payload: []byte("theirs")}); err != nil {
			t.Fatal(err)
		}
	}

	consumer, err := client.Subscribe(pulsar.ConsumerOptions{
		Topic:            cfg.Topic(topic),
		SubscriptionName: "kept",
	})
	if err != nil {
		t.Fatal(err)
	}
	defer consumer.Close()

	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()

	found := map[string]map[int32]bool{}
	used := map[int32]bool{}

	for range 2 * keys {
		m, err := consumer.Receive(ctx)
		if err != nil {
			t.Fatal(err)
		}

		if found[m.Key()] == nil {
			found[m.Key()] = map[int32]bool{}
		}

		found[m.Key()][m.ID().PartitionIdx()] = true
		used[m.ID().PartitionIdx()] = true
	}

	for key, in := range found {
		if len(in) != 1 {
			t.Errorf("%q is in the partitions %v", key, in)
		}
	}

	if len(found) != keys || len(used) != 4 {
		t.Errorf("%d keys in %d partitions", len(found), len(used))
	}
}

// A lone message is not kept waiting until the library looks at its partition.
func TestALoneMessageIsFlushed(t *testing.T) {
	t.Parallel()
	cfg := brokertest.Namespace(t, plan(4, "kept"))
	p := publisher(t, cfg, brokertest.Client(t, cfg))

	const messages = 20

	begin := time.Now()

	for n := range messages {
		m := broker.Message{Key: fmt.Sprint(n), Payload: []byte("m")}
		if err := p.Publish(t.Context(), m); err != nil {
			t.Fatal(err)
		}
	}

	if took := time.Since(begin); took > messages*time.Second/4 {
		t.Errorf("%d messages, one after the other, took %s", messages, took)
	}
}

// When a topic gets more partitions, the publisher opens producers for them.
func TestAddedPartitionsAreFound(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := &library{send: func(answer func(error)) { answer(nil) }, topics: []string{"t"}}
		p := broker.WithLibrary(l).NewPublisher(broker.PublisherConfig{Topic: "t"})
		stop := running(t, p.Run)

		defer stop()

		l.repartition("t-partition-0", "t-partition-1", "t-partition-2")
		time.Sleep(2 * time.Minute)
		synctest.Wait()

		if producers, _ := l.made(); producers != 1+3 {
			t.Errorf("%d producers, want 3 beside the first", producers)
		}

		if err := p.Publish(t.Context(), broker.Message{Key: "k"}); err != nil {
			t.Error(err)
		}
	})
}

// A topic that was deleted looks like one without partitions. Producers for that would create it
// again, without any. They are opened when it has partitions again.
func TestLostPartitionsAreNotReplaced(t *testing.T) {
	t.Parallel()

	for name, gone := range map[string]bool{"the producers live": false, "they are gone": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				l := &library{
					topics: []string{"t-partition-0", "t-partition-1"},
					send:   func(answer func(error)) { answer(pulsar.ErrProducerFenced) },
				}
				p := broker.WithLibrary(l).NewPublisher(broker.PublisherConfig{Topic: "t"})
				stop := running(t, p.Run)

				defer stop()

				l.repartition("t")

				if gone {
					p.Send(t.Context(), broker.Message{}, func(error) {})
				}

				time.Sleep(2 * time.Minute)
				synctest.Wait()

				if producers, _ := l.made(); producers != 2 {
					t.Errorf("%d producers, want the first 2", producers)
				}

				l.repartition("t-partition-0")
				time.Sleep(time.Minute)
				synctest.Wait()

				if producers, _ := l.made(); gone && producers != 2+1 {
					t.Errorf("%d producers, want one for the new partition", producers)
				}

				if err := p.Ready(); err != nil {
					t.Error(err)
				}
			})
		})
	}
}
