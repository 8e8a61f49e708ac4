package contracts_test

import (
	"cmp"
	"compress/gzip"
	"fmt"
	"os"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"

	"tributary/contracts"
)

func document(t *testing.T) map[string]any {
	t.Helper()

	text, err := contracts.AsyncAPI()
	if err != nil {
		t.Fatal(err)
	}

	var doc map[string]any
	if err := yaml.Unmarshal(text, &doc); err != nil {
		t.Fatal(err)
	}

	return doc
}

func TestAsyncAPIDocumentIsValid(t *testing.T) {
	t.Parallel()

	packed, err := os.Open("testdata/asyncapi-3.0.0.schema.json.gz")
	if err != nil {
		t.Fatal(err)
	}

	defer func() { _ = packed.Close() }()

	reader, err := gzip.NewReader(packed)
	if err != nil {
		t.Fatal(err)
	}

	text, err := jsonschema.UnmarshalJSON(reader)
	if err != nil {
		t.Fatal(err)
	}

	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("asyncapi.json", text); err != nil {
		t.Fatal(err)
	}

	schema, err := compiler.Compile("asyncapi.json")
	if err != nil {
		t.Fatal(err)
	}

	if err := schema.Validate(document(t)); err != nil {
		t.Errorf("asyncapi.yaml is no AsyncAPI 3.0 document: %v", err)
	}

	broken := document(t)

	broken["channels"].(map[string]any)["trackingEvents"].(map[string]any)["partition"] = "not a member"
	if schema.Validate(broken) == nil {
		t.Error("the check of the document finds nothing")
	}
}

func TestAsyncAPIReferencesExist(t *testing.T) {
	t.Parallel()
	doc := document(t)
	count := 0
	walk(doc, func(ref string) {
		count++

		if file, ok := strings.CutPrefix(ref, "./"); ok {
			if _, err := os.Stat(file); err != nil {
				t.Errorf("%s: %v", ref, err)
			}

			return
		}

		if !resolves(doc, ref) {
			t.Errorf("%s leads nowhere", ref)
		}
	})

	if count == 0 {
		t.Fatal("no reference was found")
	}

	if resolves(doc, "#/components/messages/none") {
		t.Error("a reference to nothing is taken as one to something")
	}
}

func walk(node any, each func(ref string)) {
	switch n := node.(type) {
	case map[string]any:
		for key, value := range n {
			if ref, ok := value.(string); ok && key == "$ref" {
				each(ref)
				continue
			}

			walk(value, each)
		}
	case []any:
		for _, value := range n {
			walk(value, each)
		}
	}
}

// resolves reports whether the reference leads to a value. It follows references on the way, as in
// #/channels/x/messages/y where messages/y is a reference itself.
func resolves(doc map[string]any, ref string) bool {
	var node any = doc
	for step := range strings.SplitSeq(strings.TrimPrefix(ref, "#/"), "/") {
		object, ok := node.(map[string]any)
		if !ok {
			return false
		}

		if node, ok = object[step]; !ok {
			return false
		}
	}

	return true
}

// The document and the plan of provision describe the same topics.
func TestAsyncAPIDescribesEveryTopic(t *testing.T) {
	t.Parallel()

	type channel struct {
		Partitions    int
		Retention     int // minutes
		Subscriptions []string
		Message       string
	}

	plan, err := contracts.Plan(contracts.TrackingEvents)
	if err != nil {
		t.Fatal(err)
	}

	// the topic of a command is named as its schema is
	messageOf := map[string]string{
		contracts.TrackingEvents:   contracts.TrackingEventV1,
		contracts.CommissionEvents: contracts.CommissionEventV1,
	}
	for _, schema := range contracts.Schemas() {
		messageOf[schema] = schema
	}

	want := map[string]channel{}
	for _, topic := range plan.Topics {
		retention := cmp.Or(topic.Retention, plan.Retention)
		want[topic.Name] = channel{
			topic.Partitions,
			int(retention.Minutes()),
			topic.Subscriptions,
			cmp.Or(messageOf[topic.Name], "dead-letter"),
		}
	}

	got := map[string]channel{}
	doc := document(t)

	messages := doc["components"].(map[string]any)["messages"].(map[string]any)
	for _, c := range doc["channels"].(map[string]any) {
		described := c.(map[string]any)

		var made channel
		made.Partitions = described["x-partitions"].(int)
		retention := described["bindings"].(map[string]any)["pulsar"].(map[string]any)["retention"].(map[string]any)

		made.Retention = retention["time"].(int)
		for _, s := range described["x-subscriptions"].([]any) {
			made.Subscriptions = append(made.Subscriptions, fmt.Sprint(s))
		}

		for key := range described["messages"].(map[string]any) {
			made.Message = messages[key].(map[string]any)["name"].(string)
		}

		got[strings.TrimPrefix(described["address"].(string), "persistent://{tenant}/{namespace}/")] = made
	}

	if diff := gocmp.Diff(want, got); diff != "" {
		t.Errorf("topics (-plan +asyncapi.yaml):\n%s", diff)
	}
}
