package contracts_test

import (
	"os"
	"testing"

	"tributary/contracts"
)

func TestTheErrorPageIsWhatTheOpenAPIDocumentsSay(t *testing.T) {
	t.Parallel()

	want, err := contracts.ErrorDocs()
	if err != nil {
		t.Fatal(err)
	}

	page, err := os.ReadFile("../docs/errors.md")
	if err != nil || string(page) != want {
		t.Errorf(
			"docs/errors.md does not match the OpenAPI documents (%v): run make generate",
			err,
		)
	}
}
