package replay

import "tributary/platform/fault"

var (
	ErrNotFound = fault.Define(
		fault.NotFound,
		"replay_not_found",
		"The replay does not exist.",
	)
	// ErrTooLarge is returned for a trial of more events than are decided for one answer, and for
	// one with more differences than it can hold.
	ErrTooLarge = fault.Define(
		fault.Invalid,
		"replay_too_large",
		"The trial has too many events to be decided, or too many differences. Choose a shorter period.",
	)
	// ErrRulesChanged is returned for the next step after a change of the rules.
	ErrRulesChanged = fault.Define(
		fault.Conflict,
		"replay_rules_changed",
		"The rules changed while the replay ran. What it has posted remains; request another replay, "+
			"which posts the rest by the present rules.",
	)
)
