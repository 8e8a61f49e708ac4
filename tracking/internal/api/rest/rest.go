// Package rest (api) is the HTTP side of the service: each route reads a request, passes it to its
// use case and writes the answer.
package rest

import (
	"context"

	"github.com/danielgtaylor/huma/v2"

	"tributary/platform/auth"
	"tributary/platform/fault"
	"tributary/platform/httpapi"
	"tributary/tracking/internal/application/ingest"
	"tributary/tracking/internal/application/query"
	"tributary/tracking/internal/domain/event"
)

// Ingest records events.
type Ingest interface {
	Record(ctx context.Context, from ingest.Origin, item ingest.Item) (ingest.Result, error)
	RecordBatch(
		ctx context.Context,
		from ingest.Origin,
		items []ingest.Item,
	) ([]ingest.Result, error)
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

// Codes returns the error codes of these routes beside those of all services.
func Codes() []httpapi.Code {
	return append(
		auth.Codes(),
		httpapi.Code{
			Code: "event_id_conflict",
			Kind: fault.Conflict,
			Meaning: "An event with this event_id and other content is already recorded. Use " +
				"another event_id for another event.",
		},
		httpapi.Code{
			Code:    "idempotency_key_reused",
			Kind:    fault.Invalid,
			Meaning: "The Idempotency-Key was used before with other content. Use another key for another request.",
		},
		httpapi.Code{
			Code:    "event_not_found",
			Kind:    fault.NotFound,
			Meaning: "The event does not exist, or belongs to another user.",
		},
		httpapi.Code{
			Code:    "event_refused",
			Kind:    fault.Invalid,
			Meaning: "The event contains a value that the database cannot store.",
		},
		httpapi.Code{
			Code: "cloudevents_binary_mode",
			Kind: fault.UnsupportedType,
			Meaning: "CloudEvents are accepted in structured mode, with the attributes in the " +
				"body; the request has them in ce- headers.",
		},
		httpapi.Code{
			Code:    "intake_full",
			Kind:    fault.Unavailable,
			Meaning: "The replica's queue of events is full. Retry after the time in Retry-After.",
		},
		httpapi.Code{
			Code: "outcome_unknown",
			Kind: fault.Unavailable,
			Meaning: "The event may or may not be recorded. Send it again with the same event_id or " +
				"Idempotency-Key: it is counted once.",
		},
	)
}
