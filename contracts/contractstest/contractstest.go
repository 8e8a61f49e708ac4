// Package contractstest checks messages against their JSON Schemas, for the tests of producers.
package contractstest

import (
	"bytes"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"tributary/contracts"
)

// Check fails the test if the payload violates the JSON Schema, such as contracts.TrackingEventV1.
func Check(tb testing.TB, schema string, payload []byte) {
	tb.Helper()

	if err := Validate(tb, schema, payload); err != nil {
		tb.Errorf("not a valid %s: %v", schema, err)
	}
}

// Validate returns an error if the payload violates the JSON Schema.
func Validate(tb testing.TB, schema string, payload []byte) error {
	tb.Helper()

	text, err := contracts.Schema(schema + ".schema.json")
	if err != nil {
		tb.Fatal(err)
	}

	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		tb.Fatalf("schema %s: %v", schema, err)
	}

	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()

	if err := compiler.AddResource(schema, document); err != nil {
		tb.Fatal(err)
	}

	compiled, err := compiler.Compile(schema)
	if err != nil {
		tb.Fatalf("schema %s: %v", schema, err)
	}

	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(payload))
	if err != nil {
		return err
	}

	return compiled.Validate(value)
}
