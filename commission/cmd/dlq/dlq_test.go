package main

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"tributary/commission/internal/api/events"
	"tributary/commission/internal/application/command"
	letters "tributary/commission/internal/infrastructure/pulsar"
	"tributary/contracts"
	"tributary/platform/broker"
	"tributary/platform/brokertest"
)

// A dead letter is listed, shown, redriven to its topic, and gone from the list.
func TestRedrive(t *testing.T) {
	plan, err := contracts.Plan(contracts.TrackingEvents)
	if err != nil {
		t.Fatal(err)
	}

	cfg := brokertest.Namespace(t, plan)
	client := brokertest.Client(t, cfg)
	dead := client.NewPublisher(
		broker.PublisherConfig{
			Topic:       cfg.Topic(contracts.TrackingEventsDeadLetter),
			MaxPending:  10,
			SendTimeout: 5 * time.Second,
		},
	)
	brokertest.Run(t, dead.Run)

	message := broker.Message{
		Key:     "u",
		Payload: []byte(`{"event_id":"e1"}`),
		Properties: map[string]string{
			"event_id":             "e1",
			letters.PropertyReason: "message_unreadable",
			letters.PropertyTopic:  cfg.Topic(contracts.TrackingEvents) + "-partition-3",
		},
	}
	for dead.Publish(t.Context(), message) != nil && t.Context().Err() == nil {
		<-time.After(10 * time.Millisecond)
	}

	t.Setenv("PULSAR_SERVICE_URL", cfg.ServiceURL)
	t.Setenv("PULSAR_TENANT", cfg.Tenant)
	t.Setenv("PULSAR_NAMESPACE", cfg.Namespace)
	list := dlq(t, "list")

	id, _, _ := strings.Cut(list, "\t")
	if !strings.Contains(list, "message_unreadable") ||
		!strings.Contains(dlq(t, "show", id), `{"event_id":"e1"}`) {
		t.Fatalf("list: %q", list)
	}

	if got := dlq(t, "redrive", id); got != "1 redriven\n" {
		t.Errorf("redrive: %q", got)
	}

	if got := dlq(t, "list"); got != "" {
		t.Errorf("afterwards: %q", got)
	}
}

// A message that the service refuses again becomes a new letter. Redriving all ends nevertheless,
// and each letter can be inspected.
func TestRedriveOfPoisonEnds(t *testing.T) {
	plan, err := contracts.Plan(contracts.TrackingEvents)
	if err != nil {
		t.Fatal(err)
	}

	cfg := brokertest.Namespace(t, plan)
	client, logger := brokertest.Client(t, cfg), slog.New(slog.DiscardHandler)
	dead := client.NewPublisher(
		broker.PublisherConfig{
			Topic:       cfg.Topic(contracts.TrackingEventsDeadLetter),
			MaxPending:  10,
			SendTimeout: 5 * time.Second,
		},
	)
	brokertest.Run(t, dead.Run)
	// a poison message never reaches the store
	tracking := events.NewTracking(
		command.NewConsumeEvents(nil, time.Now, nil),
		letters.NewDeadLetters(dead, time.Now),
		logger,
	)
	consumer := client.NewConsumer(
		broker.ConsumerConfig{
			Topic:        cfg.Topic(contracts.TrackingEvents),
			Subscription: contracts.Commission,
			MaxBatch:     10,
		},
	)
	brokertest.Run(t, func(ctx context.Context) error { return consumer.Run(ctx, tracking.Handle) })

	for _, id := range []string{"e1", "e2", "e3"} {
		message := broker.Message{
			Key:     id,
			Payload: []byte("no event"),
			Properties: map[string]string{
				letters.PropertyTopic: cfg.Topic(contracts.TrackingEvents),
			},
		}
		for dead.Publish(t.Context(), message) != nil && t.Context().Err() == nil {
			<-time.After(10 * time.Millisecond)
		}
	}

	t.Setenv("PULSAR_SERVICE_URL", cfg.ServiceURL)
	t.Setenv("PULSAR_TENANT", cfg.Tenant)
	t.Setenv("PULSAR_NAMESPACE", cfg.Namespace)

	for range 2 {
		if got := dlq(t, "redrive", "all"); got != "3 redriven\n" {
			t.Fatalf("redrive all: %q", got)
		}

		for strings.Count(dlq(t, "list"), "message_unreadable") != 3 && t.Context().Err() == nil {
			continue // they are on their way back
		}
	}
}

// dlq runs the program, for at most a minute.
func dlq(t *testing.T, args ...string) string {
	t.Helper()

	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()

	var out strings.Builder
	if err := run(ctx, args, &out); err != nil {
		t.Fatalf("%v: %v after %q", args, err, out.String())
	}

	return out.String()
}
