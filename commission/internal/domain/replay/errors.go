package replay

import "tributary/platform/fault"

var (
	ErrNotFound = fault.Define(
		fault.NotFound,
		"replay_not_found",
		"The replay does not exist.",
	)
	// ErrTooLarge is returned for a user with more events than one step can decide, and for a trial
	// with more differences than one answer can hold.
	ErrTooLarge = fault.Define(
		fault.Invalid,
		"replay_too_large",
		"A user of the period has too many events to be decided again, or a trial has too many "+
			"differences. Choose a shorter period.",
	)
	// ErrRulesChanged is returned for the next step after a change of the rules.
	ErrRulesChanged = fault.Define(
		fault.Conflict,
		"replay_rules_changed",
		"The rules changed while the replay ran. What it has posted remains; request another replay, "+
			"which posts the rest by the present rules.",
	)
)
