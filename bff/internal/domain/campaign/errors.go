package campaign

import "tributary/platform/fault"

// ErrTermsNotAccepted is the code of accepted_terms if it is not true.
var ErrTermsNotAccepted = fault.DefineField("terms_not_accepted", "must be true")
