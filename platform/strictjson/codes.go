package strictjson

import "tributary/platform/fault"

// The codes of bodies that are not strict JSON.
var (
	ErrEmpty = fault.Define(
		fault.Malformed,
		"json_empty",
		"The body is empty.",
	)
	ErrSyntax = fault.Define(
		fault.Malformed,
		"json_syntax",
		"The body is not JSON; detail says at which byte.",
	)
	ErrDuplicateKey = fault.Define(
		fault.Malformed,
		"json_duplicate_key",
		"An object contains a key twice.",
	)
	ErrInvalidUTF8 = fault.Define(
		fault.Malformed,
		"json_invalid_utf8",
		"A string is not valid UTF-8, or contains a lone surrogate.",
	)
	ErrByteOrderMark = fault.Define(
		fault.Malformed,
		"json_byte_order_mark",
		"The body begins with a byte order mark (EF BB BF); send the JSON without it.",
	)
	ErrTooManyValues = fault.Define(
		fault.TooLarge,
		"json_too_many_values",
		"The body contains more than 50,000 JSON values. Send fewer in one request.",
	)
	ErrNUL = fault.Define(
		fault.Malformed,
		"json_nul",
		"A string contains the character NUL.",
	)
	ErrTooDeep = fault.Define(
		fault.Malformed,
		"json_too_deep",
		"Objects and arrays are nested more than 32 levels deep.",
	)
	ErrTrailingText = fault.Define(
		fault.Malformed,
		"json_trailing_text",
		"The body contains text after the JSON value.",
	)
	ErrNumberRange = fault.Define(
		fault.Malformed,
		"json_number_range",
		"A number has more than 100 characters or an exponent beyond ±300.",
	)
)
