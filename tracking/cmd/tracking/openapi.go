package main

import (
	"io"
	"log/slog"
	"time"

	"tributary/platform/httpapi"
	"tributary/platform/telemetry"
	"tributary/tracking/internal/application/ingest"
	"tributary/tracking/internal/application/query"
)

// writeOpenAPI writes the OpenAPI document of the routes. It needs neither settings nor a broker.
func writeOpenAPI(w io.Writer) error {
	return newAPI(wiring{
		logger:  slog.New(slog.DiscardHandler),
		metrics: telemetry.Metrics(),
		health:  httpapi.NewHealth(service),
		ingest:  ingest.New(nil, nil, nil, time.Now),
		query:   query.New(nil),
	}).WriteDocument(w)
}
