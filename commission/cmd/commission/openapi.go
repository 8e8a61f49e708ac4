package main

import (
	"fmt"
	"io"
	"log/slog"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/prometheus/client_golang/prometheus"

	"tributary/platform/httpapi"
)

// writeOpenAPI writes the OpenAPI document as indented JSON with sorted keys. It needs neither settings nor broker.
func writeOpenAPI(w io.Writer) error {
	api := newAPI(wiring{
		logger: slog.New(slog.DiscardHandler), metrics: prometheus.NewRegistry(), health: httpapi.NewHealth(service),
	})
	text, err := api.Huma.OpenAPI().MarshalJSON()
	if err != nil {
		return fmt.Errorf("openapi: %w", err)
	}
	document := jsontext.Value(text)
	if err := document.Format(jsontext.ReorderRawObjects(true), jsontext.Multiline(true), jsontext.WithIndent("  ")); err != nil {
		return fmt.Errorf("openapi: %w", err)
	}
	_, err = fmt.Fprintf(w, "%s\n", document)
	return err
}
