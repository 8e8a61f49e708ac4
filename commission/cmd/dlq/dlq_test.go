package main

import (
	"strings"
	"testing"
	"time"

	letters "tributary/commission/internal/infrastructure/pulsar"
	"tributary/contracts"
	"tributary/platform/broker"
	"tributary/platform/brokertest"
)

// A dead letter is listed, shown, goes back to its topic, and is gone from the list.
func TestRedrive(t *testing.T) {
	plan, err := contracts.Plan(contracts.TrackingEvents)
	if err != nil {
		t.Fatal(err)
	}
	cfg := brokertest.Namespace(t, plan)
	client := brokertest.Client(t, cfg)
	dead := client.NewPublisher(broker.PublisherConfig{Topic: cfg.Topic(contracts.TrackingEventsDeadLetter), MaxPending: 10, SendTimeout: 5 * time.Second})
	brokertest.Run(t, dead.Run)
	message := broker.Message{Key: "u", Payload: []byte(`{"event_id":"e1"}`), Properties: map[string]string{
		"event_id": "e1", letters.PropertyReason: "message_unreadable", letters.PropertyTopic: cfg.Topic(contracts.TrackingEvents) + "-partition-3",
	}}
	for dead.Publish(t.Context(), message) != nil && t.Context().Err() == nil {
		<-time.After(10 * time.Millisecond)
	}
	t.Setenv("PULSAR_SERVICE_URL", cfg.ServiceURL)
	t.Setenv("PULSAR_TENANT", cfg.Tenant)
	t.Setenv("PULSAR_NAMESPACE", cfg.Namespace)
	command := func(args ...string) string {
		var out strings.Builder
		if err := run(t.Context(), args, &out); err != nil {
			t.Fatalf("%v: %v", args, err)
		}
		return out.String()
	}
	list := command("list")
	id, _, _ := strings.Cut(list, "\t")
	if !strings.Contains(list, "message_unreadable") || !strings.Contains(command("show", id), `{"event_id":"e1"}`) {
		t.Fatalf("list: %q", list)
	}
	if got := command("redrive", id); got != "1 redriven\n" {
		t.Errorf("redrive: %q", got)
	}
	if got := command("list"); got != "" {
		t.Errorf("afterwards: %q", got)
	}
}
