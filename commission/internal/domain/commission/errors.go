package commission

import "tributary/platform/fault"

// ErrNotFound is returned for a commission that does not exist, or that the caller may not see.
var ErrNotFound = fault.Define(
	fault.NotFound,
	"commission_not_found",
	"The commission does not exist, or belongs to another user.",
)
