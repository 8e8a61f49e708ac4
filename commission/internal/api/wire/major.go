package wire

import (
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-json-experiment/json/jsontext"

	"tributary/platform/fault"
)

// Major is an amount or a rate as it was written: the text of a JSON number, or of a string of the
// same form. It is never a binary float; the domain reads the text.
type Major struct{ Text string }

// UnmarshalJSONFrom takes a number or a string.
func (m *Major) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	value, err := d.ReadValue()
	if err != nil {
		return err
	}

	switch value.Kind() {
	case jsontext.KindNumber:
		m.Text = value.String()
		return nil
	case jsontext.KindString:
		text, err := jsontext.AppendUnquote(nil, value)
		m.Text = string(text)

		return err
	case jsontext.KindNull,
		jsontext.KindTrue,
		jsontext.KindFalse,
		jsontext.KindBeginObject,
		jsontext.KindEndObject,
		jsontext.KindBeginArray,
		jsontext.KindEndArray,
		jsontext.KindInvalid:
	}

	var faults fault.Fields
	faults.Add(
		strings.ReplaceAll(strings.TrimPrefix(string(d.StackPointer()), "/"), "/", "."),
		"wrong_type",
		"must be a number or a string of the same form",
	)

	return faults.Err()
}

// MarshalJSONTo writes the text as a string.
func (m Major) MarshalJSONTo(e *jsontext.Encoder) error {
	return e.WriteToken(jsontext.String(m.Text))
}

// IsZero tells whether it was not given.
func (m Major) IsZero() bool { return m.Text == "" }

// Schema documents it for OpenAPI.
func (Major) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{
		OneOf: []*huma.Schema{
			{Type: huma.TypeNumber},
			{Type: huma.TypeString, Pattern: `^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?$`},
		},
	}
}
