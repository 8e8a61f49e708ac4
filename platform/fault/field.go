package fault

import (
	"cmp"
	"errors"
	"slices"
)

// Field is a fault of a field. Field is a path such as "metadata.amount" or "events[3].user_id".
// Message says what is expected and never repeats the value that was sent.
type Field struct {
	Field   string
	Code    *FieldCode
	Message string
}

// FieldCode is the code of a fault of a field, defined once in the program. It is itself an error,
// so that a parser can return it.
type FieldCode struct { //nolint:errname // its values are the errors; the type is what they are
	name    string
	message string
}

// DefineField defines the code of a fault of a field, as Define does for a fault. The message says
// what is expected; the OpenAPI documents and docs/errors.md show it.
func DefineField(code, message string) *FieldCode {
	registry.Lock()
	defer registry.Unlock()

	switch {
	case code == "" || message == "":
		panic("fault: field code " + code + " has no name or message") //nolint:forbidigo // before main
	case registry.fields[code] != nil:
		panic("fault: field code " + code + " is defined twice") //nolint:forbidigo // before main
	}

	if registry.fields == nil {
		registry.fields = map[string]*FieldCode{}
	}

	c := &FieldCode{name: code, message: message}
	registry.fields[code] = c

	return c
}

// DefinedFields returns every field code that the packages of this program define, sorted by name.
func DefinedFields() []*FieldCode {
	registry.Lock()
	defer registry.Unlock()

	list := make([]*FieldCode, 0, len(registry.fields))
	for _, c := range registry.fields {
		list = append(list, c)
	}

	slices.SortFunc(list, func(a, b *FieldCode) int { return cmp.Compare(a.name, b.name) })

	return list
}

// RelayedField returns a fault of a field that another service answered with. Its code is defined
// there.
func RelayedField(field, code, message string) Field {
	registry.Lock()
	defer registry.Unlock()

	c := registry.fields[code]
	if c == nil {
		c = &FieldCode{name: code, message: message}
	}

	return Field{Field: field, Code: c, Message: message}
}

// Name returns the code as callers see it, such as "not_positive".
func (c *FieldCode) Name() string { return c.name }

// Error returns the message.
func (c *FieldCode) Error() string { return c.message }

// Fields collects the faults of a request, so that they are returned together.
type Fields []Field

// MaxFields is the largest number of listed faults. A longer list would take many times the memory
// of the request, and only malformed requests have one.
const MaxFields = 100

// Add adds a fault.
func (f *Fields) Add(field string, code *FieldCode, message string) {
	f.Append(Field{Field: field, Code: code, Message: message})
}

// AddError adds the fault of the field that err describes: a FieldCode with its message, or
// ErrInvalidValue. It adds nothing for nil.
func (f *Fields) AddError(field string, err error) {
	if err == nil {
		return
	}

	var code *FieldCode
	if errors.As(err, &code) {
		f.Add(field, code, code.message)
	} else {
		f.Add(field, ErrInvalidValue, "cannot be read")
	}
}

// Append adds a fault. Beyond MaxFields it adds a single More instead.
func (f *Fields) Append(field Field) {
	switch {
	case len(*f) < MaxFields:
		*f = append(*f, field)
	case len(*f) == MaxFields:
		*f = append(*f, More())
	}
}

// More returns the entry that stands for all faults that are not listed.
func More() Field {
	return Field{
		Field:   "body",
		Code:    errMoreFaults,
		Message: "has more faults than are listed here",
	}
}

// Name returns a name from a request in a form that is safe as the field of a fault: printable
// ASCII, at most 128 characters.
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
