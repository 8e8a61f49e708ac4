package batch

import "tributary/platform/fault"

// The faults of payout batches.
var (
	ErrNotFound = fault.Define(
		fault.NotFound,
		"batch_not_found",
		"The payout batch does not exist.",
	)
	// ErrEmpty is returned for a batch without payouts.
	ErrEmpty = fault.Define(
		fault.Conflict,
		"batch_empty",
		"No requested payout of this currency and method waits for a batch, or all payouts of the "+
			"batch were closed.",
	)
	// ErrPartlySettled is returned for a cancellation after the first result.
	ErrPartlySettled = fault.Define(
		fault.Conflict,
		"batch_partly_settled",
		"Results of the batch are known, so it cannot be cancelled. Settle its other payouts as "+
			"completed or failed.",
	)
	// ErrRecall is returned for the cancellation of a batch that may be at the bank.
	ErrRecall = fault.Define(
		fault.Forbidden,
		"recall_refused",
		"The bank may have the file of the batch. Only finance can cancel it, when the bank has "+
			"refused the file as a whole.",
	)
)
