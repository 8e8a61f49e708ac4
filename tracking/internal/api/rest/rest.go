// Package rest (api) is the HTTP side of the service: each route reads a request, passes it to its
// use case and writes the answer.
package rest

import (
	"github.com/danielgtaylor/huma/v2"

	"tributary/tracking/internal/application/command"
	"tributary/tracking/internal/application/query"
)

// Register adds the routes to the API.
func Register(api huma.API, in *command.Handler, log *query.Handler) {
	registerRecord(api, in)
	registerBatch(api, in)
	registerRead(api, log)
	registerList(api, log)
}

const (
	path        = "/api/v1/tracking/events"
	tag         = "Events"
	mediaJSON   = "application/json"
	mediaCloud  = "application/cloudevents+json"
	mediaClouds = "application/cloudevents-batch+json"
)

// Tags returns the groups of operations in the document.
func Tags() []*huma.Tag {
	return []*huma.Tag{{Name: tag, Description: "Record events and read the log."}}
}
