package httpapi

import (
	"maps"
	"slices"

	"tributary/platform/fault"
)

// Code documents a stable error code. docs/errors.md and the OpenAPI document list all codes.
type Code struct {
	Code    string
	Kind    fault.Kind // empty for 500
	Meaning string     // one sentence: when it is returned and what to do
}

// Codes returns the codes that every service can answer with.
func Codes() []Code {
	return []Code{
		{
			"validation_failed",
			fault.Invalid,
			"The request is well-formed but invalid; errors lists each fault.",
		},
		{"body_unreadable", fault.Malformed, "The body cannot be read as what this operation expects."},
		{"body_timeout", fault.Malformed, "The body did not arrive in time. Send it again."},
		{"body_too_large", fault.TooLarge, "The body is larger than 1 MiB."},
		{"json_empty", fault.Malformed, "The body is empty."},
		{
			"json_syntax",
			fault.Malformed,
			"The body is not JSON; detail says at which byte.",
		},
		{"json_duplicate_key", fault.Malformed, "An object contains a key twice."},
		{
			"json_invalid_utf8",
			fault.Malformed,
			"A string is not valid UTF-8, or contains a lone surrogate.",
		},
		{
			"json_byte_order_mark",
			fault.Malformed,
			"The body begins with a byte order mark (EF BB BF); send the JSON without it.",
		},
		{
			"json_too_many_values",
			fault.TooLarge,
			"The body contains more than 50,000 JSON values. Send fewer in one request.",
		},
		{"json_nul", fault.Malformed, "A string contains the character NUL."},
		{
			"json_too_deep",
			fault.Malformed,
			"Objects and arrays are nested more than 32 levels deep.",
		},
		{"json_trailing_text", fault.Malformed, "The body contains text after the JSON value."},
		{
			"json_number_range",
			fault.Malformed,
			"A number has more than 100 characters or an exponent beyond ±300.",
		},
		{
			"body_no_room",
			fault.Unavailable,
			"The replica has no memory for another request body, of any caller or of " +
				"this one. Retry after the time in Retry-After.",
		},
		{
			"unsupported_content_encoding",
			fault.UnsupportedType,
			"The body is compressed. Send it uncompressed, without Content-Encoding (identity).",
		},
		{
			"unsupported_content_type",
			fault.UnsupportedType,
			"The resource does not accept this Content-Type; detail lists those that it accepts.",
		},
		{
			"not_acceptable",
			fault.NotAcceptable,
			"The resource has no representation of the types in Accept.",
		},
		{"route_not_found", fault.NotFound, "The path does not exist; /docs lists the existing ones."},
		{
			"method_not_allowed",
			fault.NotAllowed,
			"The path does not support this method; Allow lists those that it supports.",
		},
		{
			"cursor_invalid",
			fault.Malformed,
			"The cursor does not belong to this list. Start again without a cursor.",
		},
		{
			"not_ready",
			fault.Unavailable,
			"A dependency is unavailable; errors names it. The service recovers by itself.",
		},
		{
			"database_unavailable",
			fault.Unavailable,
			"The database is unavailable. Retry after the time in Retry-After.",
		},
		{
			"broker_unavailable",
			fault.Unavailable,
			"The broker is unavailable. Retry after the time in Retry-After.",
		},
		{
			"shutting_down",
			fault.Unavailable,
			"This replica is stopping. Retry: another replica will answer.",
		},
		{
			"internal_error", "",
			"The service failed, and the outcome of the request is unknown. The log has the cause " +
				"under request_id.",
		},
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

// CodeDoc is an entry of x-error-codes in the OpenAPI document. docs/errors.md is generated from
// it.
type CodeDoc struct {
	Code    string `json:"code"`
	Status  int    `json:"status"`
	Meaning string `json:"meaning"`
}

// documented returns the distinct codes, sorted by name.
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
