package pulsar_test

import (
	"context"
	"fmt"
	"log/slog"
	"strconv"
	"sync"
	"testing"
	"time"

	"tributary/contracts"
	"tributary/contracts/contractstest"
	"tributary/migrations"
	"tributary/migrations/migrationstest"
	"tributary/platform/broker"
	"tributary/platform/brokertest"
	"tributary/tracking/internal/application/ingest/ingesttest"
	"tributary/tracking/internal/application/relay"
	"tributary/tracking/internal/domain/event"
	"tributary/tracking/internal/infrastructure/postgres"
	"tributary/tracking/internal/infrastructure/pulsar"
)

// consumed is what a consumer of the topic sees.
type consumed struct {
	t *testing.T

	mu    sync.Mutex
	count map[string]int
	last  map[string]int64 // highest seq of each user, to see that first deliveries are in order
}

func (c *consumed) handle(_ context.Context, batch []broker.Received) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, m := range batch {
		id := m.Properties["event_id"]
		if c.count[id]++; c.count[id] > 1 {
			continue
		}
		contractstest.Check(c.t, contracts.TrackingEventV1, m.Payload)
		seq, err := strconv.ParseInt(m.Properties["seq"], 10, 64)
		if err != nil || seq < c.last[m.Key] {
			c.t.Errorf("event %s of %s came with seq %d (%v) after %d", id, m.Key, seq, err, c.last[m.Key])
		}
		c.last[m.Key] = seq
	}
	return nil
}

func (c *consumed) events() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.count)
}

// The log goes to a real broker; the broker goes away while events are recorded, and freezes later; nothing is lost, and each
// user's events come in order.
func TestTheLogReachesTheBroker(t *testing.T) {
	t.Parallel()
	plan, err := contracts.Plan(contracts.TrackingEvents)
	if err != nil {
		t.Fatal(err)
	}
	cfg := brokertest.Namespace(t, plan)
	proxy := brokertest.NewProxy(t, cfg)
	schema, err := contracts.AvroSchema(contracts.TrackingEventV1)
	if err != nil {
		t.Fatal(err)
	}
	topic := cfg.Topic(contracts.TrackingEvents)
	seen := &consumed{t: t, count: map[string]int{}, last: map[string]int64{}}
	consumer := brokertest.Client(t, cfg).NewConsumer(broker.ConsumerConfig{Topic: topic, Subscription: contracts.Commission})
	brokertest.Run(t, func(ctx context.Context) error { return consumer.Run(ctx, seen.handle) })

	db := migrationstest.New(t, migrations.Tracking())
	publisher := pulsar.New(brokertest.Client(t, proxy.Config), topic, schema, 1000)
	brokertest.Run(t, publisher.Run)
	limits := relay.DefaultLimits()
	limits.WindowRows = 400
	r := relay.New(limits, relay.Needs{Log: postgres.NewLog(db.Pool), Publisher: publisher, Holder: "one", Logger: slog.New(slog.DiscardHandler), Now: time.Now})
	brokertest.Run(t, r.Run)

	store, recorded := postgres.NewAppender(db.Pool), 0
	record := func() {
		t.Helper()
		var batch []event.Event
		for range 300 {
			batch = append(batch, ingesttest.Event(t, fmt.Sprint("e", recorded), fmt.Sprint("user", recorded%17), time.Now()))
			recorded++
		}
		if _, err := store.Append(t.Context(), batch); err != nil {
			t.Fatal(err)
		}
		r.Wake()
	}
	reach := func(within time.Duration) {
		t.Helper()
		deadline := time.NewTimer(within)
		defer deadline.Stop()
		look := time.NewTicker(20 * time.Millisecond)
		defer look.Stop()
		for seen.events() < recorded {
			select {
			case <-look.C:
			case <-deadline.C:
				t.Fatalf("%d of %d events arrived within %v; relay %+v", seen.events(), recorded, within, r.Status())
			}
		}
	}
	record()
	reach(20 * time.Second)
	proxy.Cut()
	for range 5 {
		record()
	}
	proxy.Heal()
	record()
	reach(20 * time.Second)
	proxy.Freeze()
	record()
	record()
	proxy.Thaw()
	record()
	reach(30 * time.Second)
}
