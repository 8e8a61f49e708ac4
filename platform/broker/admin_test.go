package broker_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"tributary/platform/broker"
	"tributary/platform/brokertest"
)

const (
	avro      = `{"type": "record", "name": "Thing", "doc": "lost on the way", "fields": [{"name": "a", "type": "string"}]}`
	avroMore  = `{"type": "record", "name": "Thing", "fields": [{"name": "a", "type": "string"}, {"name": "b", "type": ["null", "string"], "default": null}]}`
	avroOther = `{"type": "record", "name": "Thing", "fields": [{"name": "a", "type": "int"}]}`
)

func TestPlanIsAppliedOnce(t *testing.T) {
	t.Parallel()
	first := plan(4, "kept")
	first.Topics[0].Schema, first.Topics[0].Retention = avro, 2*time.Hour
	first.Topics[0].Expiry = time.Hour
	cfg := brokertest.Namespace(t, first)

	admin, err := broker.NewAdmin(cfg, adminURL())
	if err != nil {
		t.Fatal(err)
	}

	if changes, err := admin.Apply(t.Context(), first); err != nil || len(changes) != 0 {
		t.Fatalf("second Apply changed %v (%v), want nothing", changes, err)
	}

	for name, other := range map[string]broker.Topic{
		"more partitions":        {Name: topic, Partitions: 8},
		"an incompatible schema": {Name: topic, Partitions: 4, Schema: avroOther},
	} {
		if _, err := admin.Apply(
			t.Context(),
			broker.Plan{Retention: time.Hour, Topics: []broker.Topic{other}},
		); !errors.Is(err, broker.ErrDiffers) {
			t.Errorf("%s: %v, want ErrDiffers", name, err)
		}
	}
}

// A publisher declares the provisioned schema, may add an optional field, and is refused with an
// incompatible one.
func TestPublishersDeclareTheirSchema(t *testing.T) {
	t.Parallel()
	first := plan(2, "kept")
	first.Topics[0].Schema = avro
	cfg := brokertest.Namespace(t, first)

	client := brokertest.Client(t, cfg)
	for _, c := range []struct {
		schema   string
		versions int
	}{{avro, 1}, {avroMore, 2}} {
		p := client.NewPublisher(broker.PublisherConfig{Topic: cfg.Topic(topic), Schema: c.schema})
		brokertest.Run(t, p.Run)
		eventually(t, p.Ready)

		if err := p.Publish(
			t.Context(),
			broker.Message{Key: "k", Payload: []byte(`{"a":"x"}`)},
		); err != nil {
			t.Fatal(err)
		}

		admin := brokertest.NewAdmin(t, cfg)
		if n, err := admin.SchemaVersions(topic); err != nil || n != c.versions {
			t.Errorf("the topic has %d versions of its schema (%v), want %d", n, err, c.versions)
		}
	}

	out := client.NewPublisher(broker.PublisherConfig{Topic: cfg.Topic(topic), Schema: avroOther})
	brokertest.Run(t, out.Run)

	if err := within(t, 3*time.Second, out.Ready); err == nil {
		t.Error("a publisher with an incompatible schema is ready")
	}
}

func TestMissingRightsAreTold(t *testing.T) {
	t.Parallel()

	for _, code := range []int{http.StatusUnauthorized, http.StatusForbidden} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(code)
			_, _ = w.Write([]byte(`{"reason": "no"}`))
		}))
		t.Cleanup(server.Close)

		admin, err := broker.NewAdmin(broker.Config{Tenant: "a", Namespace: "b"}, server.URL)
		if err != nil {
			t.Fatal(err)
		}

		if _, err := admin.Apply(t.Context(), plan(1)); !errors.Is(err, broker.ErrForbidden) {
			t.Errorf("%d: %v, want ErrForbidden", code, err)
		}
	}
}
