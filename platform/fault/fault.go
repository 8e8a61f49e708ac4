// Package fault defines the failures that a caller can act on. Domain, application and adapters
// return a *fault.Error if the caller can act, and a plain wrapped error otherwise. Only the HTTP
// layer turns a kind into a status.
package fault

import (
	"errors"
	"time"
)

// Kind classifies a failure. One switch in package httpapi turns it into an HTTP status.
type Kind string

// Each kind and its status.
const (
	Malformed       Kind = "malformed"        // 400: the request cannot be read at all
	Unauthenticated Kind = "unauthenticated"  // 401: no valid credentials
	Forbidden       Kind = "forbidden"        // 403: valid credentials without the right
	NotFound        Kind = "not_found"        // 404
	NotAllowed      Kind = "not_allowed"      // 405: the resource exists, the method does not
	NotAcceptable   Kind = "not_acceptable"   // 406
	Conflict        Kind = "conflict"         // 409: the state of the resource forbids it
	Precondition    Kind = "precondition"     // 412: If-Match names another version
	TooLarge        Kind = "too_large"        // 413
	UnsupportedType Kind = "unsupported_type" // 415
	Invalid         Kind = "invalid"          // 422: readable, but invalid
	Exhausted       Kind = "exhausted"        // 429: the caller sends too many requests
	Unavailable     Kind = "unavailable"      // 503: a dependency is unavailable or a queue is full
)

// Field is a fault of a field. Field is a path such as "metadata.amount" or "events[3].user_id".
// Message says what is expected and never repeats the value that was sent.
type Field struct {
	Field   string
	Code    string
	Message string
}

// Error is a failure with a stable Code. Detail is a sentence for people: it contains no input
// value, no SQL and no secret. Fields lists every fault of the request, not only the first.
// RetryAfter, if positive, is the delay after which a retry makes sense. Cause is for the log only.
type Error struct {
	Kind       Kind
	Code       string
	Detail     string
	Fields     []Field
	RetryAfter time.Duration
	Cause      error
}

// Error returns code and detail, and the cause if there is one. It is for logs.
func (e *Error) Error() string {
	text := e.Code + ": " + e.Detail
	for _, f := range e.Fields {
		text += "; " + f.Field + ": " + f.Message
	}

	if e.Cause != nil {
		text += ": " + e.Cause.Error()
	}

	return text
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Cause }

// New returns an error of the kind.
func New(kind Kind, code, detail string, fields ...Field) *Error {
	return &Error{
		Kind:   kind,
		Code:   code,
		Detail: detail,
		Fields: fields,
	}
}

// Because is New with a cause that is logged and never shown to the caller.
func Because(cause error, kind Kind, code, detail string) *Error {
	return &Error{
		Kind:   kind,
		Code:   code,
		Detail: detail,
		Cause:  cause,
	}
}

// RetryIn returns an Unavailable error that asks the caller to retry after the delay.
func RetryIn(delay time.Duration, code, detail string, cause error) *Error {
	return &Error{
		Kind:       Unavailable,
		Code:       code,
		Detail:     detail,
		RetryAfter: delay,
		Cause:      cause,
	}
}

// As returns the first *Error in err's chain.
func As(err error) (*Error, bool) {
	var e *Error
	ok := errors.As(err, &e)

	return e, ok
}

// Is reports whether err's chain contains a fault with the code.
func Is(err error, code string) bool {
	e, ok := As(err)
	return ok && e.Code == code
}

// Fields collects the faults of a request, so that they are returned together.
type Fields []Field

// MaxFields is the largest number of listed faults. A longer list would take many times the memory
// of the request, and only malformed requests have one.
const MaxFields = 100

// Add adds a fault. Beyond MaxFields it adds a single More instead.
func (f *Fields) Add(field, code, message string) {
	switch {
	case len(*f) < MaxFields:
		*f = append(*f, Field{Field: field, Code: code, Message: message})
	case len(*f) == MaxFields:
		*f = append(*f, More())
	}
}

// More returns the entry that stands for all faults that are not listed.
func More() Field {
	return Field{
		Field:   "body",
		Code:    "more_faults",
		Message: "has more faults than are listed here",
	}
}

// Name makes a name from a request safe as the field of a fault: printable ASCII, at most 128
// characters.
func Name(name string) string {
	out := []byte(name[:min(len(name), 128)])
	for i, c := range out {
		if c < ' ' || c > '~' {
			out[i] = '?'
		}
	}

	return string(out)
}

// Err returns nil if there are no faults, and otherwise an Invalid error with code
// "validation_failed" that carries all of them.
func (f Fields) Err() error {
	if len(f) == 0 {
		return nil
	}

	return New(Invalid, "validation_failed", "The request is invalid; errors lists each fault.", f...)
}
