package batch

import "tributary/platform/fault"

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
	// ErrNotApproved is returned for the file of a draft whose accounts are in order.
	ErrNotApproved = fault.Define(
		fault.Conflict,
		"batch_not_approved",
		"The accounts of the batch are in order. Its file can be made once the batch is approved.",
	)
	// ErrFileChanged is returned for a file that would not be the one that was made before.
	ErrFileChanged = fault.Define(
		fault.Conflict,
		"payment_file_changed",
		"The file would differ from the one that was made before, since the settings of the payer "+
			"or the format have changed. Use the first file, or cancel the batch and create another.",
	)
	// ErrAccounts is returned for a file with payouts that cannot be paid. Its fields name each.
	ErrAccounts = fault.Define(
		fault.Invalid,
		"payout_accounts_invalid",
		"Payouts of the batch cannot be paid in this format; errors names each with its faults. Fail "+
			"or cancel them while the batch is a draft, or cancel the batch.",
	)
	// ErrFormat is returned for a format that does not suit the batch or the settings.
	ErrFormat = fault.Define(
		fault.Conflict,
		"payment_format_unsuitable",
		"The batch cannot be paid in this format: its currency does not suit it, or the payer is not set.",
	)
	// ErrResults is returned for a result file with faults. Its fields name each line.
	ErrResults = fault.Define(
		fault.Invalid,
		"results_invalid",
		"The result file has faults; errors names each by its line. Nothing was changed: correct the "+
			"file and send it again.",
	)
)

// ErrAccountUnreadable is the code of account details that cannot be opened.
var ErrAccountUnreadable = fault.DefineField(
	"account_unreadable",
	"are account details that cannot be opened or read",
)

// ErrReferenceUnknown is the code of a reference that names no payout of the batch.
var ErrReferenceUnknown = fault.DefineField(
	"reference_unknown",
	"must name a payout of the batch",
)
