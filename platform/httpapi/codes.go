package httpapi

import (
	"maps"
	"slices"

	"tributary/platform/fault"
)

// Code documents one stable error code: docs/errors.md and the OpenAPI document list them all.
type Code struct {
	Code    string
	Kind    fault.Kind // empty for 500
	Meaning string     // one sentence: when it comes and what to do
}

// Codes are those that every service can answer with, whatever its business.
func Codes() []Code {
	return []Code{
		{
			"validation_failed",
			fault.Invalid,
			"The request can be read but breaks rules; errors lists each fault.",
		},
		{"body_unreadable", fault.Malformed, "The body is not what this resource expects."},
		{"body_timeout", fault.Malformed, "The body did not arrive in time."},
		{"body_too_large", fault.TooLarge, "The body is larger than 1 MiB."},
		{"json_empty", fault.Malformed, "The body is empty."},
		{
			"json_syntax",
			fault.Malformed,
			"The body is not JSON; detail tells where it stops being so.",
		},
		{"json_duplicate_key", fault.Malformed, "An object holds a key twice."},
		{
			"json_invalid_utf8",
			fault.Malformed,
			"A string is not valid UTF-8, or holds a lone surrogate.",
		},
		{
			"json_byte_order_mark",
			fault.Malformed,
			"The body begins with a byte order mark (EF BB BF); send the JSON without it.",
		},
		{
			"json_too_many_values",
			fault.TooLarge,
			"The body holds more than 50,000 JSON values; send less at once.",
		},
		{"json_nul", fault.Malformed, "A string holds the character NUL."},
		{
			"json_too_deep",
			fault.Malformed,
			"Objects and arrays are nested more than 32 levels deep.",
		},
		{"json_trailing_text", fault.Malformed, "Something follows the JSON value."},
		{
			"json_number_range",
			fault.Malformed,
			"A number is longer or larger than any that has meaning here.",
		},
		{
			"body_no_room",
			fault.Unavailable,
			"The replica holds as many request bodies as it has memory for, of all callers or of " +
				"this one; try again after Retry-After.",
		},
		{
			"unsupported_content_encoding",
			fault.UnsupportedType,
			"The body is compressed; send it as it is, without Content-Encoding (identity).",
		},
		{
			"unsupported_content_type",
			fault.UnsupportedType,
			"The Content-Type is none of those that the resource takes.",
		},
		{
			"not_acceptable",
			fault.NotAcceptable,
			"The resource has no representation of the types in Accept.",
		},
		{"route_not_found", fault.NotFound, "There is no such path; /docs lists them."},
		{
			"method_not_allowed",
			fault.NotAllowed,
			"The path exists, the method does not; Allow lists those that do.",
		},
		{
			"cursor_invalid",
			fault.Malformed,
			"The cursor was not made by this list; start again without one.",
		},
		{
			"not_ready",
			fault.Unavailable,
			"A dependency is away; errors names it. The service goes on by itself when it is back.",
		},
		{
			"database_unavailable",
			fault.Unavailable,
			"The database is away; try again after Retry-After.",
		},
		{
			"broker_unavailable",
			fault.Unavailable,
			"The broker is away; try again after Retry-After.",
		},
		{
			"shutting_down",
			fault.Unavailable,
			"This replica is stopping; try again, another will answer.",
		},
		{"internal_error", "", "The service failed; the log has the cause under request_id."},
	}
}

// names returns the codes of the list.
func names(list []CodeDoc) []any {
	codes := make([]any, len(list))
	for i, c := range list {
		codes[i] = c.Code
	}

	return codes
}

// CodeDoc is how a code stands in the OpenAPI document, under x-error-codes; docs/errors.md is made
// from it.
type CodeDoc struct {
	Code    string `json:"code"`
	Status  int    `json:"status"`
	Meaning string `json:"meaning"`
}

// documented sorts the codes by name, each once.
func documented(codes []Code) []CodeDoc {
	byCode := map[string]CodeDoc{}
	for _, c := range codes {
		byCode[c.Code] = CodeDoc{Code: c.Code, Status: status(c.Kind), Meaning: c.Meaning}
	}

	var list []CodeDoc
	for _, code := range slices.Sorted(maps.Keys(byCode)) {
		list = append(list, byCode[code])
	}

	return list
}
