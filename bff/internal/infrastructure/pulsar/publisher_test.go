package pulsar_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"

	"tributary/bff/internal/domain/caller"
	"tributary/bff/internal/domain/campaign"
	"tributary/bff/internal/domain/command"
	"tributary/bff/internal/domain/evidence"
	"tributary/bff/internal/domain/payment"
	"tributary/bff/internal/infrastructure/pulsar"
	"tributary/contracts"
	"tributary/platform/broker"
	"tributary/platform/brokertest"
	"tributary/platform/fault"
	"tributary/platform/sealed"
)

// namespace creates the provisioned topics of this service, with their broker schemas.
func namespace(t *testing.T) broker.Config {
	t.Helper()

	plan, err := contracts.Plan(contracts.TrackingEvents)
	if err != nil {
		t.Fatal(err)
	}

	plan.Topics = slices.DeleteFunc(plan.Topics, func(topic broker.Topic) bool {
		return !slices.Contains(pulsar.Topics(), topic.Name)
	})

	return brokertest.Namespace(t, plan)
}

// started returns a connected publisher, which stops at the end of the test.
func started(t *testing.T, cfg broker.Config, ring *sealed.Ring) *pulsar.Publisher {
	t.Helper()

	p, err := pulsar.New(brokertest.Client(t, cfg), cfg, ring)
	if err != nil {
		t.Fatal(err)
	}

	for _, part := range p.Parts() {
		brokertest.Run(t, part.Run)
	}

	eventually(t, "the publisher is connected", func() bool { return p.Ready(t.Context()) == nil })

	return p
}

// eventually waits until the condition is true, for at most 30 seconds.
func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()

	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()

	deadline := time.After(30 * time.Second)
	for !condition() {
		select {
		case <-ticker.C:
		case <-deadline:
			t.Fatalf("in vain: %s", what)
		}
	}
}

// inbox reads a topic from its beginning.
type inbox struct {
	mu       sync.Mutex
	messages []broker.Received
}

func read(t *testing.T, cfg broker.Config, topic string) *inbox {
	t.Helper()
	in := &inbox{}
	consumer := brokertest.Client(t, cfg).NewConsumer(
		broker.ConsumerConfig{Topic: cfg.Topic(topic), Subscription: "test", MaxBatch: 100},
	)
	brokertest.Run(t, func(ctx context.Context) error {
		return consumer.Run(ctx, func(_ context.Context, batch []broker.Received) error {
			in.mu.Lock()
			defer in.mu.Unlock()
			in.messages = append(in.messages, batch...)

			return nil
		})
	})

	return in
}

func (i *inbox) all() []broker.Received {
	i.mu.Lock()
	defer i.mu.Unlock()

	return append([]broker.Received(nil), i.messages...)
}

func (i *inbox) wait(t *testing.T, count int) []broker.Received {
	t.Helper()
	eventually(t, fmt.Sprint(count, " messages"), func() bool { return len(i.all()) >= count })

	return i.all()
}

func issued() time.Time { return time.Date(2026, 11, 23, 12, 0, 0, 123456789, time.UTC) }

func stamp(t *testing.T, kind command.Type, id, key string) command.Stamp {
	t.Helper()

	from, err := caller.New(caller.Snapshot{
		UserID:    "user123",
		Subject:   "auth0|123",
		Issuer:    "https://issuer.example/",
		TokenID:   "token-1",
		Roles:     []string{"partner"},
		ExpiresAt: issued().Add(time.Hour),
		Verified:  true,
	})
	if err != nil {
		t.Fatal(err)
	}

	s, err := command.NewStamp(id, kind, from, key, issued())
	if err != nil {
		t.Fatal(err)
	}

	if key == "" {
		return s
	}

	return s.WithRequestHash(strings.Repeat("0", 64))
}

func acceptance(t *testing.T, id string) campaign.Acceptance {
	t.Helper()

	a, err := campaign.NewAcceptance(
		stamp(t, campaign.AcceptType, id, "attempt-1"),
		"camp123",
		true,
		`{"source": "mobile_app", "n": 1.10}`,
	)
	if err != nil {
		t.Fatal(err)
	}

	return a
}

func request(t *testing.T, id string) payment.Request {
	t.Helper()

	r, err := payment.NewRequest(stamp(t, payment.RequestType, id, ""), payment.Input{
		Amount:         "150.00",
		Currency:       "USD",
		Method:         "paypal",
		AccountDetails: `{"email": "canary@example.com"}`,
	})
	if err != nil {
		t.Fatal(err)
	}

	return r
}

func decoded(t *testing.T, m broker.Received) any {
	t.Helper()

	var v any
	if err := json.Unmarshal(m.Payload, &v); err != nil {
		t.Fatal(err)
	}

	return v
}

func envelope(id, kind string, payload map[string]any) map[string]any {
	return map[string]any{
		"command_id":     id,
		"command_type":   kind,
		"schema_version": "v1",
		"user_id":        "user123",
		"issued_at":      "2026-11-23T12:00:00.123456789Z",
		"identity": map[string]any{
			"subject":    "auth0|123",
			"issuer":     "https://issuer.example/",
			"token_id":   "token-1",
			"roles":      []any{"partner"},
			"expires_at": "2026-11-23T13:00:00Z",
			"verified":   true,
		},
		"payload": payload,
	}
}

func TestMessages(t *testing.T) {
	t.Parallel()
	cfg := namespace(t)
	p := started(t, cfg, nil)

	upload, err := evidence.NewUpload(
		stamp(t, evidence.UploadType, "01929b1c-7b5e-7c11-8a10-000000000002", ""),
		evidence.Input{
			CampaignID: "camp123",
			Kind:       "photo",
			FileURL:    "https://example.com/photo.jpg?a=1&b=<2>",
		},
	)
	if err != nil {
		t.Fatal(err)
	}

	for name, err := range map[string]error{
		"acceptance": p.Publish(t.Context(), acceptance(t, "01929b1c-7b5e-7c11-8a10-000000000001")),
		"upload":     p.Publish(t.Context(), upload),
		"payment":    p.Publish(t.Context(), request(t, "01929b1c-7b5e-7c11-8a10-000000000003")),
	} {
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}

	accepted := envelope(
		"01929b1c-7b5e-7c11-8a10-000000000001",
		"campaign.accept",
		map[string]any{
			"campaign_id":    "camp123",
			"accepted_terms": true,
			"metadata":       map[string]any{"source": "mobile_app", "n": 1.10},
		},
	)

	accepted["idempotency_key"] = "attempt-1"
	accepted["request_hash"] = strings.Repeat("0", 64)

	for topic, want := range map[string]map[string]any{
		contracts.CampaignAccept: accepted,
		contracts.EvidenceUpload: envelope("01929b1c-7b5e-7c11-8a10-000000000002", "evidence.upload", map[string]any{"campaign_id": "camp123", "evidence_type": "photo", "file_url": "https://example.com/photo.jpg?a=1&b=<2>"}),
		contracts.PaymentRequest: envelope("01929b1c-7b5e-7c11-8a10-000000000003", "payment.request", map[string]any{"amount": "150.00", "currency": "USD", "payment_method": "paypal", "account_details": map[string]any{"email": "canary@example.com"}}),
	} {
		m := read(t, cfg, topic).wait(t, 1)[0]
		conforms(t, topic, m.Payload)

		if diff := cmp.Diff(any(want), decoded(t, m)); diff != "" {
			t.Errorf("%s: %s", topic, diff)
		}

		id := want["command_id"]
		if m.Key != "user123" || m.Properties["command_id"] != id ||
			m.Properties["ce_type"] != "tributary.bff."+want["command_type"].(string)+".v1" ||
			!m.EventTime.Equal(issued().Truncate(time.Millisecond)) {
			t.Errorf(
				"%s: key %s, event time %s, properties %v",
				topic,
				m.Key,
				m.EventTime,
				m.Properties,
			)
		}
	}
}

// The text of metadata is passed on unchanged, so that no number loses a digit.
func TestMetadataKeepsItsText(t *testing.T) {
	t.Parallel()

	cfg := namespace(t)
	if err := started(t, cfg, nil).Publish(
		t.Context(),
		acceptance(t, "01929b1c-7b5e-7c11-8a10-000000000001"),
	); err != nil {
		t.Fatal(err)
	}

	m := read(t, cfg, contracts.CampaignAccept).wait(t, 1)[0]
	if !strings.Contains(string(m.Payload), `1.10`) {
		t.Errorf("%s", m.Payload)
	}
}

func TestAccountDetailsAreSealed(t *testing.T) {
	t.Parallel()
	cfg := namespace(t)

	ring, err := sealed.Load(
		sealed.Config{
			Keys: "k1:" + base64.StdEncoding.EncodeToString([]byte(strings.Repeat("k", 32))),
		},
	)
	if err != nil {
		t.Fatal(err)
	}

	if err := started(
		t,
		cfg,
		ring,
	).Publish(t.Context(), request(t, "01929b1c-7b5e-7c11-8a10-000000000009")); err != nil {
		t.Fatal(err)
	}

	m := read(t, cfg, contracts.PaymentRequest).wait(t, 1)[0]
	conforms(t, contracts.PaymentRequest, m.Payload)

	if strings.Contains(fmt.Sprint(string(m.Payload), m.Properties, m.Key), "canary") {
		t.Error("the message shows the account details")
	}

	var message struct {
		Payload struct {
			AccountDetails string `json:"account_details"`
		} `json:"payload"`
	}
	if err := json.Unmarshal(m.Payload, &message); err != nil {
		t.Fatal(err)
	}

	if plain, err := ring.Open(
		message.Payload.AccountDetails,
		"01929b1c-7b5e-7c11-8a10-000000000009",
	); err != nil ||
		string(plain) != `{"email": "canary@example.com"}` {
		t.Errorf("%s %v", plain, err)
	}

	if _, err := ring.Open(
		message.Payload.AccountDetails,
		"01929b1c-7b5e-7c11-8a10-000000000008",
	); err == nil {
		t.Error("opens as another command's")
	}
}

// Without a broker each command is refused within two seconds, and goroutines do not accumulate.
func TestBrokerAway(t *testing.T) {
	t.Parallel()

	p := away(t)
	began := time.Now()

	var callers sync.WaitGroup
	for i := range 500 {
		a := acceptance(t, fmt.Sprint("away-", i))
		callers.Go(func() {
			err := p.Publish(t.Context(), a)
			if f, ok := fault.As(
				err,
			); !ok || f.Code() != "broker_unavailable" || f.Kind() != fault.Unavailable ||
				f.RetryAfter <= 0 {
				t.Errorf("away: %v", err)
			}
		})
	}

	callers.Wait()

	if took := time.Since(began); took > 2*time.Second {
		t.Errorf("refused after %s", took)
	}

	if p.Ready(t.Context()) == nil {
		t.Error("ready without a broker")
	}
}

// Whether the broker is down or silent, every caller is answered within two seconds. When it is
// back, commands are stored without a restart, and every command answered with nil is in the topic.
func TestBrokerGoesAndComesBack(t *testing.T) {
	t.Parallel()
	cfg := namespace(t)
	proxy := brokertest.NewProxy(t, cfg)
	p := started(t, proxy.Config, nil)

	var promised []string

	publish := func(id string) error {
		began := time.Now()

		err := p.Publish(t.Context(), acceptance(t, id))
		if took := time.Since(began); took > 2*time.Second {
			t.Errorf("%s: answered after %s", id, took)
		}

		if err == nil {
			promised = append(promised, id)
		} else if f, ok := fault.As(err); !ok || f.Kind() != fault.Unavailable || f.RetryAfter <= 0 {
			t.Errorf("%s: %v", id, err)
		}

		return err
	}
	if err := publish("before"); err != nil {
		t.Fatal(err)
	}

	for name, outage := range map[string]struct{ begin, end func() }{"cut": {proxy.Cut, proxy.Heal}, "freeze": {proxy.Freeze, proxy.Thaw}} {
		outage.begin()

		for i := range 5 {
			if err := publish(fmt.Sprint(name, "-during-", i)); err == nil {
				t.Errorf("%s: stored without a broker", name)
			}
		}

		outage.end()
		attempt := 0
		eventually(t, "a command is stored again after "+name, func() bool {
			attempt++
			return publish(fmt.Sprint(name, "-after-", attempt)) == nil
		})
	}

	stored := read(t, cfg, contracts.CampaignAccept)
	eventually(t, "all that was promised is stored", func() bool {
		ids := map[string]bool{}
		for _, m := range stored.all() {
			ids[m.Properties["command_id"]] = true
		}

		return !slices.ContainsFunc(promised, func(id string) bool { return !ids[id] })
	})
}
