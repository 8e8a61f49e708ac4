package rest

import (
	"github.com/go-json-experiment/json"

	"tributary/platform/strictjson"
)

// canonical returns the canonical text of what a request asks for, by which a repetition is
// recognised from another request with the same key.
func canonical(asked any) (string, error) {
	text, err := json.Marshal(asked)
	if err != nil {
		return "", err
	}

	out, err := strictjson.Canonical(text)

	return string(out), err
}

// number is an amount in the content of a request. It is written as a JSON number, and as a string
// where it is no number: amounts that are equal as decimals are equal, as numbers and as strings.
type number string

func (n number) MarshalJSON() ([]byte, error) {
	if text, ok := strictjson.Number(string(n)); ok {
		return []byte(text), nil
	}

	return json.Marshal(string(n))
}
