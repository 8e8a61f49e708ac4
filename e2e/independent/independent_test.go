//go:build python

// Package independent_test reads what the services publish with clients that share no code with
// ours: the Python one. `make test-python` creates its environment; TEST_PYTHON is its interpreter.
package independent_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/uuid"

	"tributary/e2e/stacktest"
)

var stack *stacktest.Stack //nolint:gochecknoglobals // TestMain hands the one stack to all tests

func TestMain(m *testing.M) {
	os.Exit(stacktest.RunPrivate(m, func(s *stacktest.Stack) { stack = s }))
}

// read is what the Python program prints for a message.
type read struct {
	Key         string            `json:"key"`
	Properties  map[string]string `json:"properties"`
	EventTime   int64             `json:"event_time"`
	PublishTime int64             `json:"publish_time"`
	Event       map[string]string `json:"event"`
}

func TestAnIndependentClientReadsWhatIsPublished(t *testing.T) {
	t.Parallel()
	occurred := time.Now().Add(-48 * time.Hour).UTC().Truncate(time.Millisecond)
	metadata := `{"amount": 12345678901.10, "currency": "USD", "order_id": "order-ü", "note": "naïve 😀", "pi": 3.14159265358979323846}`
	id := uuid.NewString()
	body := fmt.Sprintf(
		`{"event_id":%q,"user_id":"user-ü","event_type":"purchase","occurred_at":%q,"campaign_id":"camp1","metadata":%s}`,
		id,
		occurred.Format(time.RFC3339Nano),
		metadata,
	)
	stacktest.Want(
		t,
		201,
		stacktest.Request{URL: stack.Tracking + "/api/v1/tracking/events", Body: body},
		nil,
	)

	message := readBack(t, id)

	want := map[string]string{
		"schema_version": "v1",
		"event_id":       id,
		"user_id":        "user-ü",
		"event_type":     "purchase",
		"campaign_id":    "camp1",
		"order_id":       "order-ü",
		"amount":         "12345678901.10",
		"currency":       "USD",
		"metadata":       metadata,
		"received_at":    message.Event["received_at"],
	}
	for name, value := range want {
		if message.Event[name] != value {
			t.Errorf("%s = %q, want %q", name, message.Event[name], value)
		}
	}

	at, err := time.Parse(time.RFC3339Nano, message.Event["occurred_at"])
	if err != nil || !at.Equal(occurred) || message.EventTime != occurred.UnixMilli() {
		t.Errorf(
			"occurred_at %q, event time %d; want %s in both",
			message.Event["occurred_at"],
			message.EventTime,
			occurred,
		)
	}

	if published := time.UnixMilli(message.PublishTime); time.Since(published) > time.Hour ||
		!published.After(occurred) {
		t.Errorf("publish time %s is not now: it must be kept apart from the event time", published)
	}

	if message.Key != "user-ü" || message.Properties["event_id"] != id ||
		message.Properties["ce_id"] != id ||
		message.Properties["seq"] == "" {
		t.Errorf("key %q, properties %v", message.Key, message.Properties)
	}
}

func readBack(t *testing.T, id string) read {
	t.Helper()

	python := os.Getenv("TEST_PYTHON")
	if python == "" {
		t.Fatal("TEST_PYTHON is not set: run `make test-python`")
	}

	schema := filepath.Join(stack.Root, "contracts", "schemas", "tracking-event-v1.schema.json")
	topic := "persistent://" + stack.Tenant + "/" + stack.Namespace + "/tracking-events"
	cmd := exec.CommandContext(t.Context(), python, "reader.py", stack.Pulsar, topic, schema, id)

	var stderr bytes.Buffer
	cmd.Stderr = &stderr

	output, err := cmd.Output()
	if err != nil {
		t.Fatalf("reader.py: %v\n%s", err, stderr.String())
	}

	var message read
	if err := json.Unmarshal(output, &message); err != nil {
		t.Fatalf("reader.py printed %s: %v", output, err)
	}

	return message
}
