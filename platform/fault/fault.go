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
	Unreadable      Kind = "unreadable"       // a message, not a request, that stays unreadable on every retry
	Internal        Kind = "internal"         // the service failed; the caller cannot act
)

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
