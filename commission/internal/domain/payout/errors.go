package payout

import "tributary/platform/fault"

// ErrNotFound is returned for a payout that does not exist, or that the caller may not see.
var ErrNotFound = fault.Define(
	fault.NotFound,
	"payout_not_found",
	"The payout does not exist yet, or belongs to another user.",
)
