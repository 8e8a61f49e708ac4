package eventtype_test

import (
	"encoding/json"
	"slices"
	"testing"

	"tributary/contracts"
	"tributary/contracts/eventtype"
)

// values are the enumerations of the member event_type, wherever a schema has it.
func values(t *testing.T, schema string) [][]string {
	t.Helper()

	text, err := contracts.Schema(schema + ".schema.json")
	if err != nil {
		t.Fatal(err)
	}

	var document any
	if err := json.Unmarshal(text, &document); err != nil {
		t.Fatal(err)
	}

	return enumerations(document)
}

func enumerations(node any) [][]string {
	var found [][]string

	switch node := node.(type) {
	case map[string]any:
		if member, ok := node["event_type"].(map[string]any); ok {
			listed, _ := member["enum"].([]any)

			var texts []string
			for _, value := range listed {
				texts = append(texts, value.(string))
			}

			if len(texts) > 0 {
				found = append(found, texts)
			}
		}

		for _, child := range node {
			found = append(found, enumerations(child)...)
		}
	case []any:
		for _, child := range node {
			found = append(found, enumerations(child)...)
		}
	}

	return found
}

func TestSchemasHaveTheTypes(t *testing.T) {
	t.Parallel()

	for schema, want := range map[string][]string{
		contracts.TrackingEventV1:   eventtype.Any{}.Values(),
		contracts.CommissionEventV1: eventtype.Earner{}.Values(),
	} {
		lists := values(t, schema)
		if len(lists) == 0 {
			t.Errorf("%s has no list of types", schema)
		}

		for _, list := range lists {
			if !slices.Equal(list, want) {
				t.Errorf("%s has the types %q, want %q", schema, list, want)
			}
		}
	}
}

func TestEachTypeEarnsOrReverses(t *testing.T) {
	t.Parallel()

	for _, kind := range eventtype.All() {
		if parsed, ok := eventtype.Parse(string(kind)); !ok || parsed != kind {
			t.Errorf("Parse(%s) = %q, %t", kind, parsed, ok)
		}

		if kind.Earns() == kind.Reverses() || kind.Sells() && !kind.Earns() {
			t.Errorf("%s earns %t, sells %t, reverses %t", kind, kind.Earns(), kind.Sells(), kind.Reverses())
		}
	}

	for _, text := range []string{"", "Sale", "unknown"} {
		if kind, ok := eventtype.Parse(text); ok || kind != "" {
			t.Errorf("Parse(%q) = %q, %t", text, kind, ok)
		}
	}
}
