// Package query (application) reads the log: a file for each question.
package query

import (
	"context"

	"tributary/tracking/internal/domain/event"
)

// Log is the log of events.
type Log interface {
	// Event returns the event with the id. The bool reports whether it exists.
	Event(ctx context.Context, id string) (event.Entry, bool, error)
	// Events returns up to limit events after the position that match the filter, in the order of
	// the log, fewer if they are large. The bool reports whether more follow.
	Events(
		ctx context.Context,
		filter Filter,
		position int64,
		limit int,
	) (page []event.Entry, more bool, err error)
}

// Handler reads the log. It is safe for concurrent use.
type Handler struct{ log Log }

// New returns a handler.
func New(log Log) *Handler { return &Handler{log: log} }
