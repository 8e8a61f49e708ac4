package effect

import "tributary/platform/fault"

// ErrTransition is returned for a change that the status of an aggregate does not allow.
var ErrTransition = fault.Define(
	fault.Conflict,
	"transition_refused",
	"The current status does not allow the action. Read the resource again.",
)
