package goldentest_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"tributary/commission/internal/goldentest"
	"tributary/commission/internal/infrastructure/pulsar"
	"tributary/contracts"
	"tributary/platform/broker"
	"tributary/platform/brokertest"
)

// property numbers the messages of a test, so that repeated ones are recognized.
const property = "golden"

// line is a topic with the service behind it, in a namespace of its own.
type line struct {
	*world

	cfg       broker.Config
	publisher *broker.Publisher
	sent      int
	handled   chan struct{} // signalled when messages have been handled

	mu   sync.Mutex
	seen map[string]bool // numbers of messages that were handled
}

func newLine(t *testing.T) *line {
	t.Helper()

	plan, err := contracts.Plan(contracts.TrackingEvents)
	if err != nil {
		t.Fatal(err)
	}

	schema, err := contracts.AvroSchema(contracts.TrackingEventV1)
	if err != nil {
		t.Fatal(err)
	}

	l := &line{
		cfg:     brokertest.Namespace(t, plan),
		handled: make(chan struct{}, 1),
		seen:    map[string]bool{},
	}
	client := brokertest.Client(t, l.cfg)
	dead := client.NewPublisher(
		broker.PublisherConfig{
			Topic:      l.cfg.Topic(contracts.TrackingEventsDeadLetter),
			MaxPending: 10,
		},
	)
	brokertest.Run(t, dead.Run)
	l.publisher = client.NewPublisher(
		broker.PublisherConfig{
			Topic:  l.cfg.Topic(contracts.TrackingEvents),
			Schema: schema,
			Block:  true,
		},
	)
	brokertest.Run(t, l.publisher.Run)
	l.world = newWorld(t, pulsar.NewDeadLetters(dead, func() time.Time { return goldentest.Now() }))
	await(t, "the publisher", l.publisher.Ready)

	return l
}

// await polls for a minute.
func await(t *testing.T, what string, ready func() error) {
	t.Helper()

	tick, deadline := time.NewTicker(20*time.Millisecond), time.After(time.Minute)
	defer tick.Stop()

	for {
		err := ready()
		if err == nil {
			return
		}

		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("%s: not within a minute: %v", what, err)
		}
	}
}

type handle = func(context.Context, []broker.Received) error

// consume starts a replica that is wired like the service; each batch passes through handle.
func (l *line) consume(t *testing.T, cfg broker.Config, handle handle) {
	t.Helper()
	consumer := brokertest.Client(t, cfg).NewConsumer(broker.ConsumerConfig{
		// as in the service
		Topic:        l.cfg.Topic(contracts.TrackingEvents),
		Subscription: contracts.Commission,
		MaxBatch:     500,
		Workers:      4,
	})
	brokertest.Run(t, func(ctx context.Context) error { return consumer.Run(ctx, handle) })
	await(t, "the consumer", consumer.Ready)
}

// handle does what the service does, and records what was handled.
func (l *line) handle(ctx context.Context, batch []broker.Received) error {
	if err := l.tracking.Handle(ctx, batch); err != nil {
		return err
	}

	l.mu.Lock()
	for _, m := range batch {
		l.seen[m.Properties[property]] = true
	}

	l.mu.Unlock()

	select {
	case l.handled <- struct{}{}:
	default:
	}

	return nil
}

// send publishes the messages in order and returns when the broker has stored all of them.
func (l *line) send(t *testing.T, messages []broker.Message) {
	t.Helper()

	answers := make(chan error, len(messages))
	for _, m := range messages {
		l.sent++
		m.Properties = map[string]string{property: fmt.Sprint(l.sent)}

		for begin := time.Now(); !l.offer(t.Context(), m, answers); time.Sleep(100 * time.Millisecond) {
			if time.Since(begin) > time.Minute {
				t.Fatal("the publisher has taken nothing for a minute")
			}
		}
	}

	for range messages {
		if err := <-answers; err != nil {
			t.Fatal(err)
		}
	}
}

// offer hands a message over. It reports false if the publisher does not take it, since a busy
// broker has confirmed nothing for a while.
func (l *line) offer(ctx context.Context, m broker.Message, answers chan<- error) bool {
	var handed, refused atomic.Bool

	l.publisher.Send(ctx, m, func(err error) {
		if errors.Is(err, broker.ErrUnavailable) && !handed.Load() {
			refused.Store(true)
			return
		}

		answers <- err
	})
	handed.Store(true)

	return !refused.Load()
}

// wait returns when every message that was sent has been handled, however often.
func (l *line) wait(t *testing.T) {
	t.Helper()

	deadline := time.After(time.Minute)
	for {
		l.mu.Lock()
		seen := len(l.seen)
		l.mu.Unlock()

		if seen == l.sent {
			return
		}

		select {
		case <-l.handled:
		case <-deadline:
			t.Fatalf("%d of %d messages were handled within a minute", seen, l.sent)
		}
	}
}

// Every golden case as messages of a real topic: through the service's consumer and its handler
// into PostgreSQL.
func TestGoldenCasesThroughTheBroker(t *testing.T) {
	t.Parallel()
	l := newLine(t)
	l.consume(t, l.cfg, l.handle)

	all := groups(golden(t))
	for _, g := range all {
		l.publish(t, g)

		messages := g.messages(t)
		for _, part := range g.parts(messages, len(messages)) {
			l.send(t, part)
			l.wait(t)
			l.reject(t, g)
		}

		l.check(t, g)
	}

	l.nothingElse(t, all)
	t.Logf("%d messages of %d cases", l.sent, len(golden(t)))
}

var errKilled = errors.New("killed after the commit and before the acknowledgement")

// Two replicas share a subscription. One dies between commit and acknowledgement, so all that it
// has stored is delivered again to the other. Each event is decided once, and those of a user in
// order.
func TestAReplicaDiesBeforeItAcknowledges(t *testing.T) {
	t.Parallel()

	const users, each = 16, 40
	l := newLine(t)
	l.publish(
		t,
		group{
			cases: []goldentest.Case{
				{
					Rules: []goldentest.Line{
						goldentest.NewLine(
							"r",
							"sale",
							"kind=graduated",
							"currency=USD",
							"period=lifetime",
							"tiers=0:0.1",
						),
					},
				},
			},
		},
	)
	proxy := brokertest.NewProxy(t, l.cfg)

	var dead atomic.Bool
	died := make(chan int, 1)
	l.consume(t, proxy.Config, func(ctx context.Context, batch []broker.Received) error {
		if dead.Load() {
			return errKilled
		}

		if err := l.tracking.Handle(ctx, batch); err != nil {
			return err
		}

		if dead.CompareAndSwap(false, true) {
			proxy.Cut() // from now on no acknowledgement is sent
			died <- len(batch)
		}

		return errKilled
	})

	var messages []broker.Message
	for i := range each {
		for u := range users {
			user := fmt.Sprintf("u%02d", u)

			payload, err := goldentest.Message(
				goldentest.NewLine(
					fmt.Sprintf("%s-%03d", user, i),
					"sale",
					"user="+user,
					"amount=10",
				),
				"",
			)
			if err != nil {
				t.Fatal(err)
			}

			messages = append(messages, broker.Message{Key: user, Payload: payload})
		}
	}

	l.consume(t, l.cfg, l.handle)
	l.send(t, messages)

	select {
	case n := <-died:
		t.Logf("died with %d messages decided and not acknowledged", n)
	case <-time.After(time.Minute):
		t.Fatal("the first replica got nothing within a minute")
	}

	l.wait(t)
	// The ledger's numbers are the order of commit; position_minor is the volume that a decision
	// found, 10.00 for each earlier one.
	const state = `
SELECT concat_ws(' ', count(*), count(DISTINCT event_id), sum(amount_minor),
    count(*) FILTER (WHERE event_id <> user_id || to_char(place - 1, '-FM000')),
       count(*) FILTER (WHERE position <> (place - 1) * 1000), (SELECT count(*) FROM decisions),
           (SELECT sum(available_minor) FROM balances), (SELECT sum(programme_minor) FROM balances))
FROM (
    SELECT d.event_id, d.user_id, l.amount_minor, coalesce(d.position_minor, 0) AS position,
        row_number() OVER (PARTITION BY d.user_id ORDER BY l.id) AS place
    FROM ledger AS l JOIN commissions AS c ON c.id = l.commission_id
        JOIN decisions AS d USING (event_id)
) AS posted`
	n := users * each
	want := strings.Join(
		[]string{
			fmt.Sprint(n),
			fmt.Sprint(n),
			fmt.Sprint(n * 100),
			"0",
			"0",
			fmt.Sprint(n),
			fmt.Sprint(n * 100),
			fmt.Sprint(-n * 100),
		},
		" ",
	)

	var got string
	if err := l.owner.QueryRow(t.Context(), state).Scan(&got); err != nil || got != want {
		t.Errorf(
			"posted, different, amount, out of order, wrong volume, decided, available, "+
				"programme: %q, want %q (%v)",
			got,
			want,
			err,
		)
	}
}
