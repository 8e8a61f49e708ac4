package effect

import "tributary/platform/fault"

var (
	// ErrTransition is returned for a change that the status of an aggregate does not allow.
	ErrTransition = fault.Define(
		fault.Conflict,
		"transition_refused",
		"The current status does not allow the action. Read the resource again.",
	)
	// ErrSecondPerson is returned to one who approves what the same person has made.
	ErrSecondPerson = fault.Define(
		fault.Forbidden,
		"second_person_required",
		"The caller made it: another person must approve it. This holds for an adjustment above "+
			"ADJUSTMENT_SECOND_PERSON_ABOVE, and for a payout batch with PAYOUT_FOUR_EYES.",
	)
)
