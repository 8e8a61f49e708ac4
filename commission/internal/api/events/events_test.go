package events_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"tributary/commission/internal/api/events"
	"tributary/commission/internal/api/events/eventstest"
	"tributary/commission/internal/application/command"
	"tributary/commission/internal/application/query"
	"tributary/commission/internal/infrastructure/postgres"
	"tributary/commission/internal/infrastructure/pulsar"
	"tributary/contracts"
	"tributary/migrations"
	"tributary/migrations/migrationstest"
	"tributary/platform/broker"
	"tributary/platform/brokertest"
)

func newID() string { return uuid.Must(uuid.NewV7()).String() }

func plan(t *testing.T) broker.Plan {
	t.Helper()

	p, err := contracts.Plan(contracts.TrackingEvents)
	if err != nil {
		t.Fatal(err)
	}

	return p
}

func golden(t *testing.T, schema string) map[string][]byte {
	t.Helper()

	messages, err := contracts.Golden(schema)
	if err != nil || len(messages) == 0 {
		t.Fatalf("%v, %v", messages, err)
	}

	return messages
}

// Every golden message of the contract can be read, and its event is decided.
func TestGoldenMessages(t *testing.T) {
	t.Parallel()
	db := migrationstest.New(t, migrations.Commission())
	store := postgres.New(db.Pool)

	var dead eventstest.Letters
	tracking := events.NewTracking(
		command.NewConsumeEvents(store, time.Now, newID),
		&dead,
		slog.New(slog.DiscardHandler),
	)

	var batch []broker.Received
	for _, payload := range golden(t, contracts.TrackingEventV1) {
		batch = append(batch, broker.Received{Message: broker.Message{Payload: payload}})
	}

	if err := tracking.Handle(t.Context(), batch); err != nil || len(dead.Stored()) > 0 {
		t.Fatalf("%v, dead letters %v", err, dead.Stored())
	}

	var decisions int
	if err := db.Pool.QueryRow(
		t.Context(),
		`SELECT count(*) FROM decisions`,
	).Scan(&decisions); err != nil ||
		decisions != len(batch) {
		t.Errorf("%d decisions for %d messages, %v", decisions, len(batch), err)
	}

	payments := events.NewPayments(
		command.NewRequestPayout(store.Payouts(), nil, time.Now),
		&dead,
		true,
		slog.New(slog.DiscardHandler),
	)

	batch = batch[:0]
	for _, payload := range golden(t, contracts.PaymentRequestV1) {
		batch = append(batch, broker.Received{Message: broker.Message{Payload: payload}})
	}

	if err := payments.Handle(t.Context(), batch); err != nil || len(dead.Stored()) > 0 {
		t.Fatalf("%v, dead letters %v", err, dead.Stored())
	}

	var requests int
	if err := db.Pool.QueryRow(
		t.Context(),
		`SELECT count(*) FROM payouts`,
	).Scan(&requests); err != nil ||
		requests != len(batch) {
		t.Errorf("%d payouts for %d requests, %v", requests, len(batch), err)
	}

	var reason string // the user has earned nothing; the unverified token is reported first
	if err := db.Pool.QueryRow(t.Context(), `SELECT string_agg(DISTINCT reason, ' ' ORDER BY reason)
    FROM payouts`).Scan(&reason); err != nil || reason != "insufficient_balance unverified_identity" {
		t.Errorf("reasons %q, %v", reason, err)
	}
}

// good is a valid message; each poison message breaks one thing of it.
const good = `{"schema_version":"v1","event_id":"e1","user_id":"u","event_type":"purchase","occurred_at":"2026-11-23T10:00:00Z","received_at":"2026-11-23T10:00:00Z","amount":"100.0","metadata":"{\"self_referral\":false}","added_later":1}`

func TestPoisonIsKeptWithItsReason(t *testing.T) {
	t.Parallel()

	store := postgres.New(migrationstest.New(t, migrations.Commission()).Pool)
	for name, payload := range map[string]string{
		"no JSON":         "purchase",
		"truncated":       good[:50],
		"trailing text":   good + "x",
		"duplicate key":   strings.Replace(good, `"event_id":"e1"`, `"event_id":"e1","event_id":"e2"`, 1),
		"invalid UTF-8":   strings.Replace(good, `"e1"`, "\"\xff\"", 1),
		"wrong type":      strings.Replace(good, `"e1"`, "1", 1),
		"other version":   strings.Replace(good, `"v1"`, `"v2"`, 1),
		"no event id":     strings.Replace(good, `"e1"`, `""`, 1),
		"long event id":   strings.Replace(good, `"e1"`, `"`+strings.Repeat("e", 129)+`"`, 1),
		"NUL":             strings.Replace(good, `"e1"`, `"e\u0000"`, 1),
		"no user":         strings.Replace(good, `"user_id":"u",`, "", 1),
		"unknown type":    strings.Replace(good, "purchase", "gift", 1),
		"no time":         strings.Replace(good, "2026-11-23T10:00:00Z", "yesterday", 1),
		"empty":           "",
		"an array":        "[]",
		"null":            "null",
		"amount a number": strings.Replace(good, `"100.0"`, "100.0", 1),
	} {
		var dead eventstest.Letters

		tracking := events.NewTracking(
			command.NewConsumeEvents(store, time.Now, newID),
			&dead,
			slog.New(slog.DiscardHandler),
		)
		if err := tracking.Handle(
			t.Context(),
			[]broker.Received{{Message: broker.Message{Payload: []byte(payload)}}},
		); err != nil || len(dead.Stored()) != 1 ||
			len(dead.Stored()[0].Reason) < 20 {
			t.Errorf("%s: %v, dead letters %v", name, err, dead.Stored())
		}
	}

	// Messages that were published before ids had to have no blanks at their ends are decided as
	// well.
	for name, payload := range map[string]string{
		"good":              good,
		"blank user":        strings.NewReplacer(`"e1"`, `"e2"`, `"u"`, `" "`).Replace(good),
		"blank behind id":   strings.Replace(good, `"e1"`, `"e1 "`, 1),
		"invisible in user": strings.NewReplacer(`"e1"`, `"e3"`, `"u"`, `"u\u200b"`).Replace(good),
	} {
		var dead eventstest.Letters

		tracking := events.NewTracking(
			command.NewConsumeEvents(store, time.Now, newID),
			&dead,
			slog.New(slog.DiscardHandler),
		)
		if err := tracking.Handle(
			t.Context(),
			[]broker.Received{{Message: broker.Message{Payload: []byte(payload)}}},
		); err != nil ||
			len(dead.Stored()) != 0 {
			t.Errorf("%s: %v, %v", name, err, dead.Stored())
		}
	}

	for _, id := range []string{"e1", "e2", "e1 ", "e3"} {
		if _, err := store.Decision(t.Context(), query.Everything().Owner(), id); err != nil {
			t.Errorf("no decision about %q: %v", id, err)
		}
	}
}

// From the topic to the database; unreadable messages go to the dead-letter topic.
func TestThroughTheBroker(t *testing.T) {
	t.Parallel()
	cfg := brokertest.Namespace(t, plan(t))
	client := brokertest.Client(t, cfg)
	db := migrationstest.New(t, migrations.Commission())
	dead := client.NewPublisher(
		broker.PublisherConfig{
			Topic:       cfg.Topic(contracts.TrackingEventsDeadLetter),
			MaxPending:  10,
			SendTimeout: 5 * time.Second,
		},
	)
	brokertest.Run(t, dead.Run)
	tracking := events.NewTracking(
		command.NewConsumeEvents(postgres.New(db.Pool), time.Now, newID),
		pulsar.NewDeadLetters(dead, time.Now),
		slog.New(slog.DiscardHandler),
	)
	handled := make(chan int, 100)
	consumer := client.NewConsumer(
		broker.ConsumerConfig{
			Topic:        cfg.Topic(contracts.TrackingEvents),
			Subscription: contracts.Commission,
			MaxBatch:     500,
		},
	)
	brokertest.Run(t, func(ctx context.Context) error {
		return consumer.Run(ctx, func(ctx context.Context, batch []broker.Received) error {
			err := tracking.Handle(ctx, batch)
			if err == nil {
				handled <- len(batch)
			}

			return err
		})
	})
	arrived := make(chan broker.Received, 100)
	reader := client.NewConsumer(
		broker.ConsumerConfig{
			Topic:        cfg.Topic(contracts.TrackingEventsDeadLetter),
			Subscription: contracts.Operator,
			MaxBatch:     1,
		},
	)
	brokertest.Run(t, func(ctx context.Context) error {
		return reader.Run(ctx, func(_ context.Context, batch []broker.Received) error {
			for _, m := range batch {
				arrived <- m
			}

			return nil
		})
	})

	schema, err := contracts.AvroSchema(contracts.TrackingEventV1)
	if err != nil {
		t.Fatal(err)
	}

	publisher := client.NewPublisher(
		broker.PublisherConfig{
			Topic:       cfg.Topic(contracts.TrackingEvents),
			Schema:      schema,
			MaxPending:  10,
			SendTimeout: 5 * time.Second,
		},
	)
	brokertest.Run(t, publisher.Run)

	for _, payload := range []string{good, "poison", good} {
		m := broker.Message{
			Key:        "u",
			Payload:    []byte(payload),
			Properties: map[string]string{"event_id": "e1"},
		}
		for publisher.Publish(t.Context(), m) != nil && t.Context().Err() == nil {
			<-time.After(10 * time.Millisecond)
		}
	}

	for n := 0; n < 3; n += <-handled {
	}

	letter := <-arrived
	if string(letter.Payload) != "poison" ||
		!strings.Contains(letter.Properties[pulsar.PropertyReason], "message_unreadable") ||
		letter.Properties["event_id"] != "e1" ||
		letter.Properties[pulsar.PropertyMessage] == "" {
		t.Errorf("dead letter %+v", letter)
	}

	var rows int
	if err := db.Pool.QueryRow(
		t.Context(),
		`SELECT count(*) FROM commissions`,
	).Scan(&rows); err != nil ||
		rows != 1 {
		t.Errorf("%d commissions, %v", rows, err)
	}
}

// As long as a dead letter cannot be kept, the batch with its message is not handled.
func TestALetterThatIsNotKeptIsPutAgain(t *testing.T) {
	t.Parallel()

	var dead eventstest.Letters

	logger := slog.New(slog.DiscardHandler)
	poison := []broker.Received{{Message: broker.Message{Payload: []byte("poison")}}}
	tracking := events.NewTracking(command.NewConsumeEvents(nil, time.Now, nil), &dead, logger)
	payments := events.NewPayments(nil, &dead, true, logger)
	unreadable := events.Unreadable(&dead, logger)

	for name, handle := range map[string]func() error{
		"tracking":   func() error { return tracking.Handle(t.Context(), poison) },
		"payments":   func() error { return payments.Handle(t.Context(), poison) },
		"unreadable": func() error { return unreadable(t.Context(), poison[0]) },
	} {
		dead.Fail(broker.ErrUnavailable)

		if err := handle(); !errors.Is(err, broker.ErrUnavailable) {
			t.Errorf("%s: %v", name, err)
		}

		dead.Fail(nil)

		before := len(dead.Stored())
		if err := handle(); err != nil || len(dead.Stored()) != before+1 {
			t.Errorf("%s: %v, dead letters %v", name, err, dead.Stored())
		}
	}
}
