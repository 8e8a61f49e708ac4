package httpapi

import (
	"fmt"
	"io"

	"github.com/go-json-experiment/json/jsontext"
)

// WriteDocument writes the OpenAPI document of what is registered, indented and with sorted keys,
// so that it can be committed and compared.
func (a *API) WriteDocument(w io.Writer) error {
	text, err := a.Huma.OpenAPI().MarshalJSON()
	if err != nil {
		return fmt.Errorf("openapi: %w", err)
	}

	document := jsontext.Value(text)
	if err := document.Format(
		jsontext.ReorderRawObjects(true),
		jsontext.Multiline(true),
		jsontext.WithIndent("  "),
	); err != nil {
		return fmt.Errorf("openapi: %w", err)
	}

	_, err = fmt.Fprintf(w, "%s\n", document)

	return err
}
