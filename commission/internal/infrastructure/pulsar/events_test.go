package pulsar_test

import (
	"context"
	"fmt"
	"log/slog"
	"strconv"
	"sync"
	"testing"
	"time"

	"tributary/commission/internal/application/change"
	"tributary/commission/internal/application/command"
	"tributary/commission/internal/application/eventlog"
	"tributary/commission/internal/domain/payout"
	"tributary/commission/internal/infrastructure/postgres"
	"tributary/commission/internal/infrastructure/pulsar"
	"tributary/contracts"
	"tributary/migrations"
	"tributary/migrations/migrationstest"
	"tributary/platform/broker"
	"tributary/platform/brokertest"
	"tributary/platform/money"
	"tributary/platform/relay"
)

func render(e eventlog.Event) ([]byte, error) { return []byte(`{"id":"` + e.ID() + `"}`), nil }

func TestMessagesHaveTheirProperties(t *testing.T) {
	t.Parallel()

	at := time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)
	e := eventlog.Event{
		Place:    eventlog.Position{Tx: 9, Seq: 42},
		At:       at,
		Type:     "payout.completed",
		UserID:   "user123",
		Sequence: 17,
		Cause:    change.Cause{Kind: change.ByClock},
	}

	m, err := pulsar.EventMessage(e, render)
	if err != nil || m.Key != "user123" || !m.EventTime.Equal(at) ||
		string(m.Payload) != `{"id":"`+e.ID()+`"}` {
		t.Fatalf("%v: %+v", err, m)
	}

	for name, want := range map[string]string{
		"event_id":       e.ID(),
		"sequence":       "17",
		"content-type":   "application/json",
		"ce_specversion": "1.0",
		"ce_id":          e.ID(),
		"ce_type":        "tributary.commission.payout.completed.v1",
		"ce_source":      "tributary/commission",
	} {
		if m.Properties[name] != want {
			t.Errorf("%s is %q, want %q", name, m.Properties[name], want)
		}
	}
}

// seen is what a consumer of the topic has received.
type seen struct {
	mu       sync.Mutex
	ids      map[string]bool
	last     map[string]int64 // sequence, by key
	disorder []string
}

func (s *seen) handle(_ context.Context, batch []broker.Received) error {
	s.mu.Lock()
	defer s.mu.Unlock()

	for _, m := range batch {
		if s.ids[m.Properties["event_id"]] {
			continue
		}

		s.ids[m.Properties["event_id"]] = true

		n, _ := strconv.ParseInt(m.Properties["sequence"], 10, 64)
		if n != s.last[m.Key]+1 {
			s.disorder = append(s.disorder, fmt.Sprint(m.Key, ": ", n, " after ", s.last[m.Key]))
		}

		s.last[m.Key] = n
	}

	return nil
}

func (s *seen) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()

	return len(s.ids)
}

// The log reaches the broker, which is away for a while: payouts go on meanwhile, and afterwards
// each user's events are there, in order and without gaps.
func TestTheLogReachesTheBroker(t *testing.T) {
	t.Parallel()

	plan, err := contracts.Plan(contracts.TrackingEvents)
	if err != nil {
		t.Fatal(err)
	}

	cfg := brokertest.Namespace(t, plan)
	proxy := brokertest.NewProxy(t, cfg)
	topic := cfg.Topic(contracts.CommissionEvents)
	got := &seen{ids: map[string]bool{}, last: map[string]int64{}}
	consumer := brokertest.Client(t, cfg).NewConsumer(broker.ConsumerConfig{
		Topic:        topic,
		Subscription: contracts.NotificationService,
	})
	brokertest.Run(t, func(ctx context.Context) error { return consumer.Run(ctx, got.handle) })

	schema, err := contracts.AvroSchema(contracts.CommissionEventV1)
	if err != nil {
		t.Fatal(err)
	}

	store := postgres.New(migrationstest.New(t, migrations.Commission()).Pool)
	publisher := pulsar.NewEventPublisher(brokertest.Client(t, proxy.Config), pulsar.EventTopic{
		Name:    topic,
		Schema:  schema,
		Pending: 1000,
		Render:  render,
	})
	brokertest.Run(t, publisher.Run)

	relaying := relay.New(
		relay.DefaultLimits(),
		relay.Dependencies[eventlog.Position, eventlog.Event]{
			Log:       store.EventLog(),
			Publisher: publisher,
			Compare:   eventlog.Compare,
			Holder:    "one",
			Logger:    slog.New(slog.DiscardHandler),
			Now:       time.Now,
		},
	)
	brokertest.Run(t, relaying.Run)

	payouts := command.NewRequestPayout(store.Payouts(), nil, time.Now)
	written := 5 // the first rules
	write := func() {
		for i := range 100 {
			if _, err := payouts.Handle(t.Context(), payout.Wanted{
				ID:          fmt.Sprintf("00000000-0000-7000-8000-%012d", written+i),
				UserID:      fmt.Sprint("u", i%7),
				Amount:      money.FromMinor(1, money.USD()),
				Method:      "paypal",
				RequestedAt: time.Now(),
			}); err != nil {
				t.Fatal(err)
			}
		}

		written += 100
	}

	write()
	proxy.Cut()
	write()
	proxy.Heal()
	write()

	deadline := time.NewTimer(time.Minute)
	defer deadline.Stop()

	look := time.NewTicker(20 * time.Millisecond)
	defer look.Stop()

	for got.count() < written {
		select {
		case <-look.C:
		case <-deadline.C:
			t.Fatalf("%d of %d events, relay %+v", got.count(), written, relaying.Status())
		}
	}

	if len(got.disorder) > 0 {
		t.Errorf("out of order: %v", got.disorder)
	}
}
