package decision

import "tributary/platform/fault"

// ErrNotFound is returned for an event without a decision, or one that the caller may not see.
var ErrNotFound = fault.Define(
	fault.NotFound,
	"decision_not_found",
	"The event has no decision yet, or belongs to another user. A new event is decided within "+
		"seconds.",
)
