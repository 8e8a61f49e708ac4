package main

import (
	"io"
	"log/slog"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"tributary/platform/httpapi"
	"tributary/platform/telemetry"
	"tributary/tracking/internal/application/ingest"
	"tributary/tracking/internal/application/query"
)

// printOpenAPI writes the document of the routes, indented and in a stable order. It needs neither database nor broker.
func printOpenAPI(w io.Writer) error {
	api := newAPI(wiring{
		logger: slog.New(slog.DiscardHandler), metrics: telemetry.Metrics(), health: httpapi.NewHealth(service),
		ingest: ingest.New(nil, nil, time.Now), query: query.New(nil),
	})
	text, err := json.Marshal(api.Huma.OpenAPI())
	if err != nil {
		return err
	}
	document := jsontext.Value(text)
	if err := document.Format(jsontext.ReorderRawObjects(true), jsontext.WithIndent("  ")); err != nil {
		return err
	}
	_, err = w.Write(append(document, '\n'))
	return err
}
