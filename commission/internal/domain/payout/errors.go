package payout

import "tributary/platform/fault"

var (
	// ErrNotFound is returned for a payout that does not exist, or that the caller may not see.
	ErrNotFound = fault.Define(
		fault.NotFound,
		"payout_not_found",
		"The payout does not exist yet, or belongs to another user.",
	)
	// ErrInBatch is returned for a payout that cannot be changed by itself because of its batch.
	ErrInBatch = fault.Define(
		fault.Conflict,
		"payout_in_batch",
		"A batch pays the payout, and its status does not allow the action. Act on the batch, or "+
			"cancel it first.",
	)
)

// ErrAlreadyClosed is the code of a result for a payout that was closed in another way.
var ErrAlreadyClosed = fault.DefineField(
	"already_closed",
	"contradicts how the payout was closed",
)
