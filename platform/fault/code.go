package fault

import (
	"cmp"
	"slices"
	"sync"
)

// Code is an error code, defined once in the program and never changed. It is itself an error, so
// that errors.Is(err, payout.ErrNotFound) reports whether err is a fault with this code. A function
// that has no more to say than the meaning may return the Code itself.
type Code struct { //nolint:errname // its values are the errors; the type is what they are
	kind    Kind
	name    string
	meaning string
}

// registry holds every code by its name, those of fields apart.
//
//nolint:gochecknoglobals // package variables define the codes, so their registry is one too
var registry struct {
	sync.Mutex
	codes  map[string]*Code
	fields map[string]*FieldCode
}

// Define defines the code. Call it only to initialize a package variable: a code that is defined
// twice, or without a kind or a meaning, stops the program before main. The meaning says in a
// sentence or two when the code is returned and what to do; the OpenAPI documents and
// docs/errors.md show it.
func Define(kind Kind, code, meaning string) *Code {
	registry.Lock()
	defer registry.Unlock()

	switch {
	case kind == "" || code == "" || meaning == "":
		panic("fault: code " + code + " has no name, kind or meaning") //nolint:forbidigo // before main
	case registry.codes[code] != nil:
		panic("fault: code " + code + " is defined twice") //nolint:forbidigo // before main
	}

	if registry.codes == nil {
		registry.codes = map[string]*Code{}
	}

	c := &Code{kind: kind, name: code, meaning: meaning}
	registry.codes[code] = c

	return c
}

// Defined returns every code that the packages of this program define, sorted by name.
func Defined() []*Code {
	registry.Lock()
	defer registry.Unlock()

	list := make([]*Code, 0, len(registry.codes))
	for _, c := range registry.codes {
		list = append(list, c)
	}

	slices.SortFunc(list, func(a, b *Code) int { return cmp.Compare(a.name, b.name) })

	return list
}

// Kind returns the kind of the code.
func (c *Code) Kind() Kind { return c.kind }

// Name returns the code as callers see it, such as "payout_not_found".
func (c *Code) Name() string { return c.name }

// Meaning returns when the code is returned and what to do.
func (c *Code) Meaning() string { return c.meaning }

// Error returns name and meaning.
func (c *Code) Error() string { return c.name + ": " + c.meaning }

// New returns a fault with the code. The detail is a sentence for people.
func (c *Code) New(detail string, fields ...Field) *Error {
	return &Error{code: c, Detail: detail, Fields: fields}
}

// Because is New with a cause that is logged and never shown to the caller.
func (c *Code) Because(cause error, detail string) *Error {
	return &Error{code: c, Detail: detail, Cause: cause}
}

// Relayed returns a fault that another service answered with. Its code is defined there.
func Relayed(kind Kind, code, detail string, fields ...Field) *Error {
	registry.Lock()
	defer registry.Unlock()

	c := registry.codes[code]
	if c == nil || c.kind != kind {
		c = &Code{kind: kind, name: code, meaning: detail}
	}

	return c.New(detail, fields...)
}
