package command

import "tributary/platform/fault"

var (
	// ErrBrokerUnavailable means that the command is not stored.
	ErrBrokerUnavailable = fault.Define(
		fault.Unavailable,
		"broker_unavailable",
		"The broker is unavailable. Retry after the time in Retry-After.",
	)
	// ErrOutcomeUnknown means that the command may be stored.
	ErrOutcomeUnknown = fault.Define(
		fault.Unavailable,
		"publish_outcome_unknown",
		"The broker did not confirm the command in time: it may or may not be stored. "+
			"Send it again with the same Idempotency-Key: it takes effect once.",
	)
	// ErrRefused means that the command can never be stored.
	ErrRefused = fault.Define(
		fault.TooLarge,
		"message_refused",
		"The broker cannot store a command of this size. Send a smaller one.",
	)
)
