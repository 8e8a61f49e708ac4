package httpapi

import "github.com/danielgtaylor/huma/v2"

// Enum is a text of a request or an answer that is one of the values of V. The document names them,
// and a request with another text is refused.
type Enum[V interface{ Values() []string }] string

// Schema returns the text with its values.
func (Enum[V]) Schema(huma.Registry) *huma.Schema {
	var (
		of V
		s  = huma.Schema{Type: huma.TypeString}
	)

	for _, value := range of.Values() {
		s.Enum = append(s.Enum, value)
	}

	return &s
}
