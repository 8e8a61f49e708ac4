package rest

import (
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"tributary/platform/strictjson"
)

// contentOf returns the canonical text of what a request asks for, by which a repetition is told
// from another request with the same key. Without a key there is nothing to compare: it is "".
func contentOf(idempotencyKey string, asked any) (string, error) {
	if idempotencyKey == "" {
		return "", nil
	}

	text, err := json.Marshal(asked)
	if err != nil {
		return "", err
	}

	canonical, err := strictjson.Canonical(text)

	return string(canonical), err
}

// number returns the JSON number of the text, or the JSON string of a text that is no number:
// amounts that are equal as decimals are equal, as numbers and as strings.
func number(text string) (jsontext.Value, error) {
	if n, ok := strictjson.Number(text); ok {
		return jsontext.Value(n), nil
	}

	return json.Marshal(text)
}
