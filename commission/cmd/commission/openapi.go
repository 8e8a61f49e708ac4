package main

import (
	"io"
	"log/slog"

	"tributary/platform/httpapi"
	"tributary/platform/telemetry"
)

// writeOpenAPI writes the OpenAPI document of the routes. It needs neither settings nor a broker.
func writeOpenAPI(w io.Writer) error {
	return newAPI(wiring{
		logger:  slog.New(slog.DiscardHandler),
		metrics: telemetry.Metrics(),
		health:  httpapi.NewHealth(service),
	}).WriteDocument(w)
}
