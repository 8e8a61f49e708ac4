package change

import (
	"tributary/commission/internal/domain/effect"
	"tributary/platform/fault"
)

// The faults of changes. A key that was used for another request is fault.ErrKeyReused.
var (
	// ErrVersion is returned for an If-Match that names another version.
	ErrVersion = fault.Define(
		fault.Stale,
		"version_mismatch",
		"The resource was changed since it was read. Read it again and decide again.",
	)
	ErrOwnGain = fault.Define(
		fault.Forbidden,
		"own_gain_refused",
		"The change is about the caller's own money, or a rule for it alone: another person must "+
			"do it, whatever roles the caller has.",
	)
	ErrSecondPerson = effect.ErrSecondPerson
)
