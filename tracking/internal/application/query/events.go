package query

import (
	"context"
	"time"

	"tributary/contracts/eventtype"
	"tributary/tracking/internal/domain/event"
)

// Filter selects events. The zero value of a field selects all. From is inclusive, To is exclusive.
type Filter struct {
	UserID     string
	CampaignID string
	Type       eventtype.Type
	From       time.Time
	To         time.Time
}

// Events returns one page of events after the position. The bool reports whether more follow.
func (h *Handler) Events(
	ctx context.Context,
	filter Filter,
	position int64,
	limit int,
) (page []event.Entry, more bool, err error) {
	return h.log.Events(ctx, filter, position, limit)
}
