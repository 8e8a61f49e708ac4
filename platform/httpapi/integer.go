package httpapi

import (
	"github.com/danielgtaylor/huma/v2"
	"github.com/go-json-experiment/json/jsontext"
)

// Integer is an integer of any size as its decimal text; in JSON it is a number.
type Integer string

// MarshalJSONTo writes the number.
func (i Integer) MarshalJSONTo(e *jsontext.Encoder) error {
	return e.WriteValue(jsontext.Value(i))
}

// UnmarshalJSONFrom reads the number: an answer that was stored under a key is read again.
func (i *Integer) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	value, err := d.ReadValue()
	*i = Integer(value)

	return err
}

// Schema documents it for OpenAPI.
func (Integer) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{
		Type:        huma.TypeInteger,
		Description: "A sum of minor units; it may be beyond 64 bits.",
	}
}
