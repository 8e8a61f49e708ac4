package ingest

import "tributary/platform/fault"

var (
	// ErrContent is returned for an event that the log can never store.
	ErrContent = fault.Define(
		fault.Invalid,
		"event_refused",
		"The event contains a value that the database cannot store.",
	)
	ErrFull = fault.Define(
		fault.Unavailable,
		"intake_full",
		"The replica's queue of events is full. Retry after the time in Retry-After.",
	)
	// ErrUnknown is returned if the log did not answer a statement.
	ErrUnknown = fault.Define(
		fault.Unavailable,
		"outcome_unknown",
		"The event may or may not be recorded. Send it again with the same event_id or "+
			"Idempotency-Key: it is counted once.",
	)
)
