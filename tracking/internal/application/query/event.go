package query

import (
	"context"

	"tributary/platform/fault"
	"tributary/tracking/internal/domain/event"
)

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
