package event

import "tributary/platform/fault"

// ErrContradiction is the code of a field that has another value under another spelling.
var ErrContradiction = fault.DefineField(
	"contradiction",
	"must have the same value as another spelling of the field",
)
