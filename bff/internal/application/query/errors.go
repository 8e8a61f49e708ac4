package query

import "tributary/platform/fault"

var (
	// ErrNotFound is returned for a payment that the caller does not have.
	ErrNotFound = fault.Define(
		fault.NotFound,
		"payment_not_found",
		"The caller has no payment with this command_id. A payment that was submitted just now "+
			"may take a moment to appear.",
	)
	ErrUnavailable = fault.Define(
		fault.Unavailable,
		"commission_unavailable",
		"The commission service does not answer. Retry after the time in Retry-After.",
	)
	// ErrRefused is returned for a request that the commission service refuses as a whole.
	ErrRefused = fault.Define(
		fault.Malformed,
		"read_refused",
		"The commission service refuses the request, for example because of a token that is too "+
			"long.",
	)
)
