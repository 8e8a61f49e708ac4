package command

import "tributary/platform/fault"

// ErrConflict is returned for an event whose id was used for another one.
var ErrConflict = fault.Define(
	fault.Conflict,
	"event_id_conflict",
	"An event with this event_id and other content is already recorded. Use another event_id "+
		"for another event.",
)
