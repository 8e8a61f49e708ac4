// Package fault is the vocabulary of failures that a caller can act on. Domain, application
// and adapters return a *fault.Error where the caller can do something about it, and a plain
// wrapped error everywhere else. Only the HTTP layer turns a kind into a status.
package fault

import (
	"errors"
	"time"
)

// Kind says what sort of failure it is; one switch in package httpapi turns it into an HTTP status.
type Kind string

// The kinds, with the status that each becomes.
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
	Invalid         Kind = "invalid"          // 422: readable, but breaks a rule
	Exhausted       Kind = "exhausted"        // 429: the caller asks too often
	Unavailable     Kind = "unavailable"      // 503: a dependency is away or a queue is full
)

// Field is one fault of one field. Field is a path such as "metadata.amount" or
// "events[3].user_id"; Message tells what is expected and never repeats the value that was sent.
type Field struct {
	Field   string
	Code    string
	Message string
}

// Error is a failure with a stable Code. Detail is a sentence for people: it holds no input value,
// no SQL and no secret. Fields lists every fault of the request, not only the first. RetryAfter,
// when positive, tells when trying again makes sense. Cause is for the log only.
type Error struct {
	Kind       Kind
	Code       string
	Detail     string
	Fields     []Field
	RetryAfter time.Duration
	Cause      error
}

// Error is for logs: code and detail, and the cause if there is one.
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

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Cause }

// New makes an error of the kind.
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

// RetryIn is an Unavailable error that asks the caller to come back after the delay.
func RetryIn(delay time.Duration, code, detail string, cause error) *Error {
	return &Error{
		Kind:       Unavailable,
		Code:       code,
		Detail:     detail,
		RetryAfter: delay,
		Cause:      cause,
	}
}

// As finds the *Error in a chain of wrapped errors.
func As(err error) (*Error, bool) {
	var e *Error
	ok := errors.As(err, &e)

	return e, ok
}

// Is tells whether err carries a fault with the code.
func Is(err error, code string) bool {
	e, ok := As(err)
	return ok && e.Code == code
}

// Fields gathers the faults of a request, so that all are told at once.
type Fields []Field

// MaxFields is how many faults of a request are told. Only nonsense has more of them, and a list of
// them all would take many times its memory.
const MaxFields = 100

// Add notes one fault. Of those after the first MaxFields it is only told that there are more.
func (f *Fields) Add(field, code, message string) {
	switch {
	case len(*f) < MaxFields:
		*f = append(*f, Field{Field: field, Code: code, Message: message})
	case len(*f) == MaxFields:
		*f = append(*f, More())
	}
}

// More is the entry that stands for all faults which are not told.
func More() Field {
	return Field{
		Field:   "body",
		Code:    "more_faults",
		Message: "has more faults than are listed here",
	}
}

// Name makes a name from a request harmless as the field of a fault: printable ASCII, at most 128
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

// Err is nil without faults, else an Invalid error with code "validation_failed" that carries them
// all.
func (f Fields) Err() error {
	if len(f) == 0 {
		return nil
	}

	return New(Invalid, "validation_failed", "The request breaks the rules listed in errors.", f...)
}
