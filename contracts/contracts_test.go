package contracts_test

import (
	"bytes"
	"io/fs"
	"os"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"tributary/contracts"
	"tributary/platform/broker"
	"tributary/platform/brokertest"
)

func TestGoldenMessagesMatchTheirSchemas(t *testing.T) {
	t.Parallel()
	folders, err := os.ReadDir("golden")
	if err != nil || len(folders) != 4 {
		t.Fatalf("golden holds %d folders (%v), want one per schema", len(folders), err)
	}
	for _, folder := range folders {
		t.Run(folder.Name(), func(t *testing.T) {
			t.Parallel()
			schema := compile(t, folder.Name())
			messages, err := contracts.Golden(folder.Name())
			if err != nil || len(messages) == 0 {
				t.Fatalf("%d golden messages (%v)", len(messages), err)
			}
			for name, text := range messages {
				if err := schema.Validate(parse(t, text)); err != nil {
					t.Errorf("%s: %v", name, err)
				}
				broken := bytes.Replace(text, []byte(`"v1"`), []byte(`"v2"`), 1)
				if schema.Validate(parse(t, broken)) == nil {
					t.Errorf("%s: the schema takes another schema_version", name)
				}
			}
		})
	}
}

func compile(t *testing.T, name string) *jsonschema.Schema {
	t.Helper()
	text, err := contracts.Schema(name + ".schema.json")
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource(name, parse(t, text)); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile(name)
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

func parse(t *testing.T, text []byte) any {
	t.Helper()
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return v
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
	plan.Topics = plan.Topics[:1]
	plan.Topics[0].Schema = strings.Replace(plan.Topics[0].Schema, `{"name": "user_id", "type": "string"}`, `{"name": "user_id", "type": "int"}`, 1)
	if _, err := admin.Apply(t.Context(), plan); err == nil {
		t.Fatal("the broker took a schema that is incompatible")
	}
}

func TestAsyncAPIDescribesEveryTopic(t *testing.T) {
	t.Parallel()
	plan, err := contracts.Plan(contracts.TrackingEvents)
	if err != nil {
		t.Fatal(err)
	}
	text, err := fs.ReadFile(os.DirFS("."), "asyncapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, topic := range plan.Topics {
		if !strings.Contains(string(text), "address: "+topic.Name+"\n") {
			t.Errorf("asyncapi.yaml does not describe %s", topic.Name)
		}
	}
	for line := range strings.Lines(string(text)) {
		if _, path, found := strings.Cut(line, "$ref: './"); found {
			if _, err := os.Stat(strings.TrimSuffix(strings.TrimSpace(path), "'")); err != nil {
				t.Errorf("asyncapi.yaml refers to a file that is not there: %v", err)
			}
		}
	}
}
