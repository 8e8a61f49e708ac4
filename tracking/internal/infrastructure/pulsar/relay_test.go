package pulsar_test

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"maps"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"tributary/contracts"
	"tributary/contracts/contractstest"
	"tributary/migrations"
	"tributary/migrations/migrationstest"
	"tributary/platform/broker"
	"tributary/platform/brokertest"
	"tributary/platform/relay"
	"tributary/tracking/internal/application/ingest/ingesttest"
	"tributary/tracking/internal/domain/event"
	"tributary/tracking/internal/infrastructure/postgres"
	"tributary/tracking/internal/infrastructure/pulsar"
)

// consumed is what a consumer of the topic has received.
type consumed struct {
	t *testing.T

	mu    sync.Mutex
	count map[string]int
	last  map[string]int64 // highest seq of each user, to check that first deliveries are in order
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
			c.t.Errorf(
				"event %s of %s came with seq %d (%v) after %d",
				id,
				m.Key,
				seq,
				err,
				c.last[m.Key],
			)
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

func (c *consumed) counts() map[string]int {
	c.mu.Lock()
	defer c.mu.Unlock()

	return maps.Clone(c.count)
}

// pipeline is a relay from a log of its own to a topic of its own, which a consumer reads, with a
// proxy between relay and broker.
type pipeline struct {
	t        *testing.T
	proxy    *brokertest.Proxy
	store    *postgres.Appender
	relay    *relay.Relay[int64, event.Entry]
	seen     *consumed
	recorded int
}

func newPipeline(t *testing.T, change func(*relay.Limits)) *pipeline {
	t.Helper()

	plan, err := contracts.Plan(contracts.TrackingEvents)
	if err != nil {
		t.Fatal(err)
	}

	cfg := brokertest.Namespace(t, plan)

	schema, err := contracts.AvroSchema(contracts.TrackingEventV1)
	if err != nil {
		t.Fatal(err)
	}

	p := &pipeline{
		t:     t,
		proxy: brokertest.NewProxy(t, cfg),
		seen:  &consumed{t: t, count: map[string]int{}, last: map[string]int64{}},
	}
	topic := cfg.Topic(contracts.TrackingEvents)
	consumer := brokertest.Client(
		t,
		cfg,
	).NewConsumer(broker.ConsumerConfig{Topic: topic, Subscription: contracts.Commission})
	brokertest.Run(t, func(ctx context.Context) error { return consumer.Run(ctx, p.seen.handle) })

	db := migrationstest.New(t, migrations.Tracking())
	publisher := pulsar.New(brokertest.Client(t, p.proxy.Config), topic, schema, 1000)
	brokertest.Run(t, publisher.Run)
	limits := relay.DefaultLimits()
	change(&limits)
	p.store = postgres.NewAppender(db.Pool)
	p.relay = relay.New(
		limits,
		relay.Dependencies[int64, event.Entry]{
			Log:       postgres.NewLog(db.Pool),
			Publisher: publisher,
			Compare:   cmp.Compare[int64],
			Holder:    "one",
			Logger:    slog.New(slog.DiscardHandler),
			Now:       time.Now,
		},
	)
	brokertest.Run(t, p.relay.Run)

	return p
}

// record records a number of events, each with the metadata.
func (p *pipeline) record(events int, metadata string) {
	p.t.Helper()

	var batch []event.Event
	for range events {
		snapshot := ingesttest.Event(
			p.t,
			fmt.Sprint("e", p.recorded),
			fmt.Sprint("user", p.recorded%17),
			time.Now(),
		).Snapshot()
		snapshot.Metadata = metadata
		batch = append(batch, event.Restore(snapshot))
		p.recorded++
	}

	if _, err := p.store.Append(p.t.Context(), batch); err != nil {
		p.t.Fatal(err)
	}

	p.relay.Wake()
}

func (p *pipeline) await(within time.Duration, what string, is func() bool) {
	p.t.Helper()

	deadline := time.NewTimer(within)
	defer deadline.Stop()

	look := time.NewTicker(20 * time.Millisecond)
	defer look.Stop()

	for !is() {
		select {
		case <-look.C:
		case <-deadline.C:
			p.t.Fatalf(
				"%s: not within %v; %d of %d events arrived, relay %+v",
				what,
				within,
				p.seen.events(),
				p.recorded,
				p.relay.Status(),
			)
		}
	}
}

func (p *pipeline) arrive(within time.Duration) {
	p.t.Helper()
	p.await(within, "all events", func() bool { return p.seen.events() == p.recorded })
}

// The log reaches a real broker. The broker is cut off while events are recorded, and freezes
// later; nothing is lost, and each user's events arrive in order.
func TestTheLogReachesTheBroker(t *testing.T) {
	t.Parallel()
	p := newPipeline(t, func(l *relay.Limits) { l.WindowRows = 400 })
	p.record(300, "")
	p.arrive(20 * time.Second)
	p.proxy.Cut()

	for range 5 {
		p.record(300, "")
	}

	p.proxy.Heal()
	p.record(300, "")
	p.arrive(20 * time.Second)
	p.proxy.Freeze()
	p.record(300, "")
	p.record(300, "")
	p.proxy.Thaw()
	p.record(300, "")
	p.arrive(30 * time.Second)
}

// The library's own time limit of a message, 30 s, would drop the first message of an outage and
// deliver those a second younger: a user's events would be reordered.
func TestAnOutageOfHalfAMinuteKeepsTheOrder(t *testing.T) {
	t.Parallel()
	p := newPipeline(t, func(*relay.Limits) {})
	p.record(100, "")
	p.arrive(20 * time.Second)
	p.proxy.Cut()
	cut := time.Now()
	p.await(time.Minute, "the end of the outage", func() bool {
		away := time.Since(cut)
		if away < 2*time.Second {
			p.record(17, "")
		}

		return away > 29900*time.Millisecond
	})
	p.proxy.Heal()
	p.arrive(30 * time.Second)
}

// An event above the broker's limit of 5 MiB is reported, and no later event is sent before it.
// (Requests are limited to 1 MiB; this test needs a broker with a lower limit.)
func TestAnEventAboveTheBrokersLimitHoldsUpTheOthers(t *testing.T) {
	t.Parallel()
	p := newPipeline(t, func(*relay.Limits) {})
	p.record(10, "")
	p.arrive(20 * time.Second)
	p.record(5, "")
	p.record(1, `"`+strings.Repeat("x", 6<<20)+`"`)
	p.record(20, "")
	p.await(20*time.Second, "a refusal", func() bool { return p.relay.Status().Refused == 16 })
	p.await(
		20*time.Second,
		"what is before it",
		func() bool { return p.relay.Status().Position == 15 && p.seen.events() >= 15 },
	)

	for id, n := range p.seen.counts() {
		if n != 1 {
			p.t.Errorf("%s came %d times", id, n)
		}
	}

	if n := p.seen.events(); n != 15 {
		t.Errorf("%d events came, want the 15 before the one that is refused", n)
	}
}
