package contracts_test

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"tributary/contracts"
	"tributary/contracts/contractstest"
	"tributary/platform/broker"
	"tributary/platform/brokertest"
)

func TestGoldenMessagesMatchTheirSchemas(t *testing.T) {
	t.Parallel()
	least := map[string]int{
		contracts.TrackingEventV1:  4,
		contracts.CampaignAcceptV1: 1,
		contracts.EvidenceUploadV1: 1,
		contracts.PaymentRequestV1: 2,

		contracts.CommissionEventV1: 5,
	}

	folders, err := os.ReadDir("golden")
	if err != nil || len(folders) != len(contracts.Schemas()) {
		t.Fatalf("golden holds %d folders (%v), want one per schema", len(folders), err)
	}

	for _, schema := range contracts.Schemas() {
		messages, err := contracts.Golden(schema)
		if err != nil {
			t.Fatal(err)
		}

		if len(messages) < least[schema] {
			t.Errorf(
				"%s has %d golden messages, want at least %d",
				schema,
				len(messages),
				least[schema],
			)
		}

		for name, payload := range messages {
			if err := contractstest.Validate(t, schema, payload); err != nil {
				t.Errorf("%s/%s: %v", schema, name, err)
			}
		}
	}
}

// Each change violates one rule of an otherwise valid message. A nil value removes the member.
func TestSchemasRefuse(t *testing.T) {
	t.Parallel()

	type change struct {
		schema string
		golden string
		member string // names of members, joined by dots
		value  any
	}

	cases := []change{
		{contracts.TrackingEventV1, "purchase.json", "event_id", nil},
		{contracts.TrackingEventV1, "purchase.json", "event_id", ""},
		{contracts.TrackingEventV1, "purchase.json", "user_id", "line\nbreak"},
		{contracts.TrackingEventV1, "purchase.json", "schema_version", "v2"},
		{contracts.TrackingEventV1, "purchase.json", "event_type", "buy"},
		{contracts.TrackingEventV1, "purchase.json", "occurred_at", "2026-11-23T10:00:00+01:00"},
		{contracts.TrackingEventV1, "purchase.json", "occurred_at", "2026-13-23T10:00:00Z"},
		{contracts.TrackingEventV1, "purchase.json", "amount", 100.0},
		{contracts.TrackingEventV1, "purchase.json", "amount", "1e2"},
		{contracts.TrackingEventV1, "purchase.json", "amount", "1234567890123"},
		{contracts.TrackingEventV1, "purchase.json", "currency", "usd"},
		{contracts.TrackingEventV1, "purchase.json", "metadata", map[string]any{}},
		{contracts.TrackingEventV1, "purchase.json", "surprise", true},
		{contracts.CampaignAcceptV1, "accept.json", "command_type", "payment.request"},
		{contracts.CampaignAcceptV1, "accept.json", "payload.accepted_terms", false},
		{contracts.CampaignAcceptV1, "accept.json", "payload.metadata", "text"},
		{contracts.CampaignAcceptV1, "accept.json", "identity.verified", nil},
		{contracts.CampaignAcceptV1, "accept.json", "identity.token", "eyJhbGciOi"},
		{
			contracts.EvidenceUploadV1,
			"upload.json",
			"payload.file_url",
			"ftp://example.com/photo.jpg",
		},
		{contracts.EvidenceUploadV1, "upload.json", "command_id", "camp123"},
		{contracts.PaymentRequestV1, "request.json", "payload.amount", 150.0},
		{contracts.PaymentRequestV1, "request.json", "payload.account_details", nil},
		{contracts.PaymentRequestV1, "request.json", "payload.account_details", "user@example.com"},
		{contracts.PaymentRequestV1, "sealed.json", "issued_at", "now"},
		{contracts.PaymentRequestV1, "sealed.json", "request_hash", "k1:abc"},
		{contracts.CommissionEventV1, "payout-completed.json", "sequence", 0},
		{contracts.CommissionEventV1, "payout-completed.json", "type", "payout.paid"},
		{contracts.CommissionEventV1, "payout-completed.json", "caused_by.reason", "text"},
		{contracts.CommissionEventV1, "payout-completed.json", "data.payout.account_details", map[string]any{}},
		{contracts.CommissionEventV1, "payout-completed.json", "data.payout.amount_minor", "15000"},
		{contracts.CommissionEventV1, "decision-commissioned.json", "data.commission.status", "paid"},
		{contracts.CommissionEventV1, "decision-commissioned.json", "data.decision.outcome", nil},
		{contracts.CommissionEventV1, "rule-retired.json", "data.rule.content.formula.kind", "free"},
	}
	for i, c := range cases {
		t.Run(fmt.Sprintf("%d %s", i, c.member), func(t *testing.T) {
			t.Parallel()

			golden, err := contracts.Golden(c.schema)
			if err != nil {
				t.Fatal(err)
			}

			var message map[string]any
			if err := json.Unmarshal(golden[c.golden], &message); err != nil {
				t.Fatal(err)
			}

			set(message, c.member, c.value)

			broken, err := json.Marshal(message)
			if err != nil {
				t.Fatal(err)
			}

			if contractstest.Validate(t, c.schema, broken) == nil {
				t.Errorf("the schema takes %s = %v", c.member, c.value)
			}
		})
	}
}

func set(message map[string]any, member string, value any) {
	before, after, nested := strings.Cut(member, ".")
	if nested {
		set(message[before].(map[string]any), after, value)
		return
	}

	if value == nil {
		delete(message, member)
		return
	}

	message[member] = value
}

// The Avro record describes the same message as the JSON Schema: each member that Avro names is in
// the JSON Schema with a matching type, and each required member is named, unless Avro has no type
// for it.
func TestAvroAndJSONSchemaDescribeTheSameMembers(t *testing.T) {
	t.Parallel()

	untyped := map[string]bool{"metadata": true, "account_details": true, "data": true}
	for _, name := range contracts.Schemas() {
		text, err := contracts.AvroSchema(name)
		if err != nil {
			t.Fatal(err)
		}

		var avro record
		if err := json.Unmarshal([]byte(text), &avro); err != nil {
			t.Fatalf("%s: %v", name, err)
		}

		schema, err := contracts.Schema(name + ".schema.json")
		if err != nil {
			t.Fatal(err)
		}

		var described object
		if err := json.Unmarshal(schema, &described); err != nil {
			t.Fatal(err)
		}

		compare(t, name, avro, described, untyped)

		payload, ok := described.Properties["payload"]
		if !ok {
			continue
		}

		for _, f := range avro.Fields {
			if f.Name != "payload" {
				continue
			}

			var nested record
			if err := json.Unmarshal(f.Type, &nested); err != nil {
				t.Fatal(err)
			}

			compare(t, name+" payload", nested, payload, untyped)
		}
	}
}

type record struct {
	Fields []struct {
		Name    string
		Type    json.RawMessage
		Default json.RawMessage
	}
}

type object struct {
	Required   []string
	Properties map[string]object
}

func compare(t *testing.T, where string, avro record, described object, untyped map[string]bool) {
	t.Helper()

	required := map[string]bool{}
	for _, name := range described.Required {
		required[name] = true
	}

	named := map[string]bool{}
	for _, f := range avro.Fields {
		named[f.Name] = true
		if _, ok := described.Properties[f.Name]; !ok {
			t.Errorf("%s: %s is in the Avro record only", where, f.Name)
		}

		if optional := len(f.Type) > 0 &&
			f.Type[0] == '['; optional == required[f.Name] ||
			optional != (string(f.Default) == "null") {
			t.Errorf(
				"%s: %s is required %t, but its Avro type is %s with default %s",
				where,
				f.Name,
				required[f.Name],
				f.Type,
				f.Default,
			)
		}
	}

	for name := range described.Properties {
		if !named[name] && !untyped[name] {
			t.Errorf("%s: %s is missing in the Avro record", where, name)
		}
	}
}

func TestTheBrokerTakesThePlanAndRefusesAnotherSchema(t *testing.T) {
	t.Parallel()

	plan, err := contracts.Plan(contracts.TrackingEvents)
	if err != nil {
		t.Fatal(err)
	}

	cfg := brokertest.Namespace(t, plan)

	admin, err := broker.NewAdmin(cfg, os.Getenv("TEST_PULSAR_ADMIN_URL"))
	if err != nil {
		t.Fatal(err)
	}

	for i, topic := range plan.Topics {
		if topic.Schema == "" {
			continue
		}

		changed := topic

		changed.Schema = strings.Replace(
			topic.Schema,
			`,"type":"string"}`,
			`,"type":"int"}`,
			1,
		)
		if changed.Schema == topic.Schema {
			t.Fatalf("%s: the schema was not changed", topic.Name)
		}

		if _, err := admin.Apply(
			t.Context(),
			broker.Plan{Retention: plan.Retention, Topics: []broker.Topic{changed}},
		); err == nil {
			t.Errorf("%s: the broker took a schema that is incompatible", plan.Topics[i].Name)
		}
	}
}
