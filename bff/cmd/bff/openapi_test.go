package main

import (
	"bytes"
	"os"
	"testing"
)

// The committed document matches the code.
func TestOpenAPIDocumentIsCommitted(t *testing.T) {
	t.Parallel()

	var made bytes.Buffer
	if err := program(new(settings)).WriteDocument(&made); err != nil {
		t.Fatal(err)
	}

	committed, err := os.ReadFile("../../../contracts/openapi/bff.json")
	if err != nil || !bytes.Equal(made.Bytes(), committed) {
		t.Errorf(
			"contracts/openapi/bff.json does not match the code (%v): run make generate",
			err,
		)
	}
}
