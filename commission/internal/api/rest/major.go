package rest

import (
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-json-experiment/json/jsontext"

	"tributary/platform/fault"
)

// major is an amount or a rate as it was written: the text of a JSON number, or of a string of the same form. It is never a binary
// float; the domain reads the text.
type major struct{ text string }

// UnmarshalJSONFrom takes a number or a string.
func (m *major) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	value, err := d.ReadValue()
	if err != nil {
		return err
	}
	switch value.Kind() {
	case jsontext.KindNumber:
		m.text = value.String()
		return nil
	case jsontext.KindString:
		text, err := jsontext.AppendUnquote(nil, value)
		m.text = string(text)
		return err
	case jsontext.KindNull, jsontext.KindTrue, jsontext.KindFalse, jsontext.KindBeginObject, jsontext.KindEndObject, jsontext.KindBeginArray,
		jsontext.KindEndArray, jsontext.KindInvalid:
	}
	var faults fault.Fields
	faults.Add(strings.ReplaceAll(strings.TrimPrefix(string(d.StackPointer()), "/"), "/", "."), "wrong_type", "must be a number or a string of the same form")
	return faults.Err()
}

// MarshalJSONTo writes the text as a string: what hashes of requests are made of.
func (m major) MarshalJSONTo(e *jsontext.Encoder) error {
	return e.WriteToken(jsontext.String(m.text))
}

// IsZero tells whether it was not given.
func (m major) IsZero() bool { return m.text == "" }

// Schema documents it for OpenAPI.
func (major) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{OneOf: []*huma.Schema{{Type: huma.TypeNumber}, {Type: huma.TypeString, Pattern: `^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?$`}}}
}
