// Package fault defines the failures that a caller can act on. Domain, application and adapters
// return a fault if the caller can act, and a plain wrapped error otherwise. Each error code is
// defined once, as a variable of the package that owns the noun: see Define. Only the HTTP layer
// turns a kind into a status.
package fault

import (
	"errors"
	"time"
)

// Kind classifies a failure by what it means for the caller. Package httpapi has the one mapping to
// HTTP.
type Kind string

const (
	Malformed       Kind = "malformed"        // the request cannot be read at all
	Unauthenticated Kind = "unauthenticated"  // no valid credentials
	Forbidden       Kind = "forbidden"        // valid credentials without the right
	NotFound        Kind = "not_found"        // the resource does not exist, or not for this caller
	NotAllowed      Kind = "not_allowed"      // the resource exists, what is asked of it does not
	NotAcceptable   Kind = "not_acceptable"   // the resource exists in no form that the caller reads
	Conflict        Kind = "conflict"         // the state of the resource forbids it
	Stale           Kind = "stale"            // the resource has changed since the caller read it
	TooLarge        Kind = "too_large"        // larger than anything that is accepted
	UnsupportedType Kind = "unsupported_type" // in a form that is not accepted
	Invalid         Kind = "invalid"          // readable, but invalid
	Exhausted       Kind = "exhausted"        // the caller sends too many requests
	Unavailable     Kind = "unavailable"      // a dependency is unavailable or a queue is full
	Unreadable      Kind = "unreadable"       // a message, not a request, that no retry makes readable
	Internal        Kind = "internal"         // the service failed; the caller cannot act
)

// Field is a fault of a field. Field is a path such as "metadata.amount" or "events[3].user_id".
// Message says what is expected and never repeats the value that was sent.
type Field struct {
	Field   string
	Code    string
	Message string
}

// Error is a failure with a Code. Detail is a sentence for people: it contains no input value, no
// SQL and no secret. Fields lists every fault of the request, not only the first. RetryAfter, if
// positive, is the delay after which a retry makes sense. Cause is for the log only.
type Error struct {
	code       *Code
	Detail     string
	Fields     []Field
	RetryAfter time.Duration
	Cause      error
}

// Code returns the name of the code.
func (e *Error) Code() string { return e.code.name }

// Kind returns the kind of the code.
func (e *Error) Kind() Kind { return e.code.kind }

// RetryIn sets the delay after which the caller is asked to retry, and returns e.
func (e *Error) RetryIn(delay time.Duration) *Error {
	e.RetryAfter = delay
	return e
}

// Error returns code and detail, and the cause if there is one. It is for logs.
func (e *Error) Error() string {
	text := e.code.name + ": " + e.Detail
	for _, f := range e.Fields {
		text += "; " + f.Field + ": " + f.Message
	}

	if e.Cause != nil {
		text += ": " + e.Cause.Error()
	}

	return text
}

// Unwrap returns the code and the cause.
func (e *Error) Unwrap() []error {
	if e.Cause == nil {
		return []error{e.code}
	}

	return []error{e.code, e.Cause}
}

// As returns the first fault in err's chain. If a Code was returned as such, its meaning is the
// detail.
func As(err error) (*Error, bool) {
	var e *Error
	if errors.As(err, &e) {
		return e, true
	}

	var c *Code
	if errors.As(err, &c) {
		return c.New(c.meaning), true
	}

	return nil, false
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

// Err returns nil if there are no faults, and otherwise ErrValidation with all of them.
func (f Fields) Err() error {
	if len(f) == 0 {
		return nil
	}

	return ErrValidation.New("The request is invalid; errors lists each fault.", f...)
}
