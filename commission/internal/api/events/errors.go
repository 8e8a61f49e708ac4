package events

import "tributary/platform/fault"

// The faults of messages, which are kept as dead letters.
var (
	errUnreadable = fault.Define(
		fault.Unreadable,
		"message_unreadable",
		"The payload is not what the topic carries.",
	)
	errVersion = fault.Define(
		fault.Unreadable,
		"schema_version_unknown",
		"The message is of a version that this service does not know.",
	)
)
