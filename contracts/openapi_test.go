package contracts_test

import (
	"cmp"
	"encoding/json"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
)

// node is any JSON node of an OpenAPI document.
type node = map[string]any

func documents(t *testing.T, test func(t *testing.T, document node)) {
	t.Helper()

	for _, service := range []string{"bff", "commission", "tracking"} {
		t.Run(service, func(t *testing.T) {
			t.Parallel()

			text, err := os.ReadFile("openapi/" + service + ".json")
			if err != nil {
				t.Fatal(err)
			}

			var document node
			if err := json.Unmarshal(text, &document); err != nil {
				t.Fatal(err)
			}

			test(t, document)
		})
	}
}

// in returns the node at the path of names, or an empty one if it does not exist.
func in(from node, path ...string) node {
	for _, name := range path {
		from, _ = from[name].(node)
	}

	return from
}

// each calls visit for every node in value, with its path.
func each(value any, path string, visit func(path string, o node)) {
	switch v := value.(type) {
	case node:
		visit(path, v)

		for _, name := range slices.Sorted(maps.Keys(v)) {
			if name != "example" && name != "examples" {
				each(v[name], path+"/"+name, visit)
			}
		}
	case []any:
		for _, element := range v {
			each(element, path, visit)
		}
	}
}

// Generated clients hold amounts in strings and range over lists without asking for null.
func TestSchemasAreFitForGenerators(t *testing.T) {
	t.Parallel()
	documents(t, func(t *testing.T, document node) {
		t.Helper()
		each(document, "", func(path string, o node) {
			if o["type"] == "number" {
				t.Errorf("%s is a number: generators make it a float", path)
			}

			types, _ := o["type"].([]any)
			if slices.Contains(types, any("array")) {
				t.Errorf("%s is an array or null", path)
			}

			if content, ok := o["content"].(node); ok && strings.Contains(path, "/responses/") &&
				len(content) != 1 {
				t.Errorf("%s has %d media types, want 1", path, len(content))
			}
		})
	})
}

// Readers find the licence, the server, every tag, and for each operation what it does, every body
// with an example, and every member with a description.
func TestDocumentsAreComplete(t *testing.T) {
	t.Parallel()
	documents(t, func(t *testing.T, document node) {
		t.Helper()

		if in(document, "info", "license")["identifier"] != "Apache-2.0" ||
			document["servers"] == nil {
			t.Error("the document lacks its licence or its server")
		}

		tags := map[any]bool{}
		list, _ := document["tags"].([]any)

		for _, tag := range list {
			tag, _ := tag.(node)
			tags[tag["name"]] = tag["description"] != ""
		}

		each(document["paths"], "", func(path string, o node) {
			if o["operationId"] == nil {
				return
			}

			if o["summary"] == nil || o["description"] == nil {
				t.Errorf("%s has no summary or no description", path)
			}

			names, _ := o["tags"].([]any)
			if len(names) != 1 || !tags[names[0]] {
				t.Errorf("%s has tags %v, want one that is described", path, names)
			}
		})

		each(document, "", func(path string, o node) {
			for name, media := range in(o, "content") {
				if strings.HasSuffix(path, "/properties") {
					break // a member of this name
				}

				if media, _ := media.(node); media["example"] == nil {
					t.Errorf("%s %s has no example", path, name)
				}
			}

			for name, member := range in(o, "properties") {
				if member, _ := member.(node); member["description"] == nil && member["$ref"] == nil {
					t.Errorf("%s/%s has no description", path, name)
				}
			}

			if o["in"] != nil && o["description"] == nil {
				t.Errorf("%s: parameter %v has no description", path, o["name"])
			}
		})
	})
}

// The bff hands on what the commission service answers: its schemas say the same.
func TestBFFDescribesAnswersLikeCommission(t *testing.T) {
	t.Parallel()

	schemas := map[string]node{}
	for _, service := range []string{"bff", "commission"} {
		text, err := os.ReadFile("openapi/" + service + ".json")
		if err != nil {
			t.Fatal(err)
		}

		var document node
		if err := json.Unmarshal(text, &document); err != nil {
			t.Fatal(err)
		}

		schemas[service] = in(document, "components", "schemas")
	}

	for _, name := range []string{
		"BalanceBody",
		"BalancesBody",
		"CommissionBody",
		"PageCommissionBody",
		"PagePayoutBody",
		"PayoutBody",
	} {
		// partners never see account details
		delete(in(schemas["commission"], name, "properties"), "account_details")

		for _, service := range []string{"bff", "commission"} {
			if schema, ok := schemas[service][name].(node); ok {
				sortRequired(schema)
			}
		}

		own, err := json.Marshal(schemas["bff"][name])
		if err != nil {
			t.Fatal(err)
		}

		theirs, err := json.Marshal(schemas["commission"][name])
		if err != nil {
			t.Fatal(err)
		}

		if string(own) != string(theirs) || string(own) == "null" {
			t.Errorf("%s is\n%s\nin the document of the bff, and of commission\n%s", name, own, theirs)
		}
	}
}

// sortRequired sorts the names of required members, whose order means nothing.
func sortRequired(schema node) {
	required, _ := schema["required"].([]any)
	slices.SortFunc(required, func(a, b any) int { return cmp.Compare(a.(string), b.(string)) })
}
