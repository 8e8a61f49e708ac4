// Package rest (api) is the HTTP side of the service: each route reads a request, passes it to its
// use case and writes the answer.
package rest

import (
	"context"

	"github.com/danielgtaylor/huma/v2"

	"tributary/tracking/internal/application/command"
	"tributary/tracking/internal/application/query"
	"tributary/tracking/internal/domain/event"
)

// Ingest records events.
type Ingest interface {
	Record(ctx context.Context, from command.Origin, item command.Item) (command.Result, error)
	RecordBatch(
		ctx context.Context,
		from command.Origin,
		items []command.Item,
	) ([]command.Result, error)
}

// Query reads the log.
type Query interface {
	Event(ctx context.Context, id string) (event.Entry, error)
	Events(
		ctx context.Context,
		filter query.Filter,
		position int64,
		limit int,
	) (page []event.Entry, more bool, err error)
}

// Register adds the routes to the API.
func Register(api huma.API, in Ingest, log Query) {
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
