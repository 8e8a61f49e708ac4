// Package query (application) reads the log.
package query

import (
	"context"
	"time"

	"tributary/platform/fault"
	"tributary/tracking/internal/domain/event"
)

// Filter says which events are wanted; the zero value of a field means all. From is inclusive, To
// is not.
type Filter struct {
	UserID     string
	CampaignID string
	Type       event.Type
	From       time.Time
	To         time.Time
}

// Log is the log to read.
type Log interface {
	// Event gives the event with the id; false when there is none.
	Event(ctx context.Context, id string) (event.Entry, bool, error)
	// Events gives up to limit events behind the position that fit the filter, in the order of the
	// log, fewer when they are large, and tells whether more follow.
	Events(
		ctx context.Context,
		filter Filter,
		position int64,
		limit int,
	) (page []event.Entry, more bool, err error)
}

// Handler is the use case. It is safe for concurrent use.
type Handler struct{ log Log }

// New makes the handler.
func New(log Log) *Handler { return &Handler{log: log} }

// Event gives one event, or the fault event_not_found.
func (h *Handler) Event(ctx context.Context, id string) (event.Entry, error) {
	entry, found, err := h.log.Event(ctx, id)
	if err == nil && !found {
		err = NotFound()
	}

	return entry, err
}

// NotFound is the fault for an event that does not exist, or that the caller must not know of.
func NotFound() error {
	return fault.New(fault.NotFound, "event_not_found", "There is no event with this id.")
}

// Events gives one page of events behind the position, and tells whether more follow.
func (h *Handler) Events(
	ctx context.Context,
	filter Filter,
	position int64,
	limit int,
) (page []event.Entry, more bool, err error) {
	return h.log.Events(ctx, filter, position, limit)
}
