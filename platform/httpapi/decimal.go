package httpapi

import (
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-json-experiment/json/jsontext"

	"tributary/platform/fault"
)

// Decimal is an amount or a rate in a request: the text of a JSON string or of a JSON number. It is
// never a binary float; the domain reads the text.
type Decimal struct {
	Text  string
	wrong bool // it was neither a string nor a number
	null  bool
}

var _ huma.ResolverWithPath = (*Decimal)(nil)

// UnmarshalJSONFrom keeps the text. Values of other types are reported by Resolve, so that the
// answer lists them together with the other faults of the request.
func (m *Decimal) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	value, err := d.ReadValue()
	if err != nil {
		return err
	}

	if value.Kind() == jsontext.KindNumber {
		m.Text = value.String()
		return nil
	}

	if value.Kind() != jsontext.KindString {
		m.wrong = true
		m.null = value.Kind() == jsontext.KindNull

		return nil
	}

	text, err := jsontext.AppendUnquote(nil, value)
	m.Text = string(text)

	return err
}

// MarshalJSONTo writes the text as a string.
func (m Decimal) MarshalJSONTo(e *jsontext.Encoder) error {
	return e.WriteToken(jsontext.String(m.Text))
}

// IsZero reports whether the value is absent.
func (m Decimal) IsZero() bool { return m.Text == "" && !m.wrong }

// Resolve reports a value of another type. Null is treated as absent; an optional value is a
// pointer, which null leaves nil.
func (m *Decimal) Resolve(_ huma.Context, path *huma.PathBuffer) []error {
	if !m.wrong {
		return nil
	}

	var faults fault.Fields

	field := strings.TrimPrefix(path.String(), "body.")
	if m.null {
		faults.Add(field, fault.ErrRequired, "is required")
	} else {
		faults.Add(field, fault.ErrWrongType, "must be a decimal string or a number")
	}

	return []error{faults.Err()}
}

// Schema documents a decimal string: a generated client must not hold money in a float. The
// description of each field says that numbers are accepted too. The type is an extension, because
// huma's own validation must not reject them.
func (Decimal) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{
		Pattern:    `^-?(0|[1-9][0-9]{0,11})(\.[0-9]{1,4})?$`,
		Extensions: map[string]any{"type": huma.TypeString},
	}
}
