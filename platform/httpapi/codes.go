package httpapi

import "tributary/platform/fault"

// The codes of requests that do not reach an operation, and of answers that fail.
var (
	errBodyUnreadable = fault.Define(
		fault.Malformed,
		"body_unreadable",
		"The body cannot be read as what this operation expects.",
	)
	errBodyTimeout = fault.Define(
		fault.Malformed,
		"body_timeout",
		"The body did not arrive in time. Send it again.",
	)
	errBodyTooLarge = fault.Define(
		fault.TooLarge,
		"body_too_large",
		"The body is larger than 1 MiB.",
	)
	errBodyNoRoom = fault.Define(
		fault.Unavailable,
		"body_no_room",
		"The replica has no memory for another request body, of any caller or of this "+
			"one. Retry after the time in Retry-After.",
	)
	errContentEncoding = fault.Define(
		fault.UnsupportedType,
		"unsupported_content_encoding",
		"The body is compressed. Send it uncompressed, without Content-Encoding (identity).",
	)
	errContentType = fault.Define(
		fault.UnsupportedType,
		"unsupported_content_type",
		"The resource does not accept this Content-Type; detail lists those that it accepts.",
	)
	errNotAcceptable = fault.Define(
		fault.NotAcceptable,
		"not_acceptable",
		"The resource has no representation of the types in Accept.",
	)
	errRouteNotFound = fault.Define(
		fault.NotFound,
		"route_not_found",
		"The path does not exist; /docs lists the existing ones.",
	)
	errMethodNotAllowed = fault.Define(
		fault.NotAllowed,
		"method_not_allowed",
		"The path does not support this method; Allow lists those that it supports.",
	)
	errNotReady = fault.Define(
		fault.Unavailable,
		"not_ready",
		"A dependency is unavailable; errors names it. The service recovers by itself.",
	)
)

var errDown = fault.DefineField("down", "is a dependency that is unavailable")

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

// documented returns every code that a request can be answered with, sorted by name.
func documented() []CodeDoc {
	var list []CodeDoc
	for _, c := range fault.Defined() {
		if c.Kind() == fault.Unreadable {
			continue // of a message; no request is answered with it
		}

		list = append(list, CodeDoc{Code: c.Name(), Status: status(c.Kind()), Meaning: c.Meaning()})
	}

	return list
}

// FieldCodeDoc is an entry of x-field-codes in the OpenAPI document: a code of an entry of errors.
type FieldCodeDoc struct {
	Code    string `json:"code"`
	Meaning string `json:"meaning"`
}

// documentedFields returns every field code that the program defines, sorted by name.
func documentedFields() []FieldCodeDoc {
	var list []FieldCodeDoc
	for _, c := range fault.DefinedFields() {
		list = append(list, FieldCodeDoc{Code: c.Name(), Meaning: c.Error()})
	}

	return list
}
