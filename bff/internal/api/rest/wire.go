package rest

import (
	"github.com/danielgtaylor/huma/v2"
	"github.com/go-json-experiment/json/jsontext"
)

// object is a JSON object that is kept as text and passed on unchanged. Null is treated as absent.
type object struct{ text string }

// UnmarshalJSON keeps the text. The schema checks that it is an object.
func (o *object) UnmarshalJSON(raw []byte) error {
	if jsontext.Value(raw).Kind() != jsontext.KindNull {
		o.text = string(raw)
	}

	return nil
}

// MarshalJSON returns the text.
func (o object) MarshalJSON() ([]byte, error) {
	if o.text == "" {
		return []byte("null"), nil
	}

	return []byte(o.text), nil
}

func (object) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeObject, AdditionalProperties: true}
}

// The domain checks these values, so that the answer lists every fault with its own code. Their
// rules are documented in extensions, which huma's validation ignores.

// word is a short name such as paypal or photo.
type word string

func (word) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{
		Type:       huma.TypeString,
		Extensions: map[string]any{"pattern": `^[a-z][a-z0-9_]{0,63}$`},
	}
}

// link is an absolute http or https URL.
type link string

func (link) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{
		Type:       huma.TypeString,
		Extensions: map[string]any{"format": "uri", "pattern": `^https?://[A-Za-z0-9]`},
	}
}

// accepted is a consent, which can only be true.
type accepted bool

func (accepted) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{
		Type:       huma.TypeBoolean,
		Extensions: map[string]any{"enum": []any{true}},
	}
}
