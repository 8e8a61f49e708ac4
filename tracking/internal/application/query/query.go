// Package query (application) reads the log.
package query

import (
	"context"
	"time"

	"tributary/platform/fault"
	"tributary/tracking/internal/domain/event"
)

// Filter selects events. The zero value of a field selects all. From is inclusive, To is exclusive.
type Filter struct {
	UserID     string
	CampaignID string
	Type       event.Type
	From       time.Time
	To         time.Time
}

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

func New(log Log) *Handler { return &Handler{log: log} }

// Event returns one event. ErrNotFound is returned if it does not exist.
func (h *Handler) Event(ctx context.Context, id string) (event.Entry, error) {
	entry, found, err := h.log.Event(ctx, id)
	if err == nil && !found {
		err = ErrNotFound
	}

	return entry, err
}

// ErrNotFound is returned for an event that does not exist, or that the caller may not see.
var ErrNotFound = fault.Define(
	fault.NotFound,
	"event_not_found",
	"The event does not exist, or belongs to another user.",
)

// Events returns one page of events after the position. The bool reports whether more follow.
func (h *Handler) Events(
	ctx context.Context,
	filter Filter,
	position int64,
	limit int,
) (page []event.Entry, more bool, err error) {
	return h.log.Events(ctx, filter, position, limit)
}
