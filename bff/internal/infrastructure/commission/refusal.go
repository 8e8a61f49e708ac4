package commission

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/go-json-experiment/json"

	"tributary/platform/fault"
)

// problem is what this service reads of the other's problem documents.
type problem struct {
	Code   string `json:"code"`
	Detail string `json:"detail"`
	Errors []struct {
		Field   string `json:"field"`
		Code    string `json:"code"`
		Message string `json:"message"`
	} `json:"errors"`
}

// errNotFound is a record that is not there. Only a payout may be missing; anything else that is
// not found is a service of another version.
var errNotFound = errors.New("not found")

// errAnswered is in errors about one request that say nothing about the next: the service works.
var errAnswered = errors.New("the service answered")

// refusal returns what an answer other than 200 means to the caller. What the caller can mend (a
// cursor, a filter, a long token) is passed on; a refused token is a fault between the services,
// since this one has accepted it.
func refusal(status int, body []byte) error {
	var kind fault.Kind
	switch status {
	case http.StatusNotFound:
		return errNotFound
	case http.StatusBadRequest:
		kind = fault.Malformed
	case http.StatusUnprocessableEntity:
		kind = fault.Invalid
	case http.StatusUnauthorized, http.StatusForbidden:
		return fmt.Errorf("%w with status %d", errAnswered, status)
	case http.StatusTooManyRequests:
		return fault.New(
			fault.Exhausted,
			"rate_limited",
			"You ask too often; try again after Retry-After.",
		)
	default:
		if status >= http.StatusBadRequest && status < http.StatusInternalServerError {
			// such as 431, which has no problem document
			return fault.New(
				fault.Malformed,
				"read_refused",
				"The commission service refuses the request, such as for a token that is too long.",
			)
		}

		return fmt.Errorf("answer with status %d", status)
	}

	var p problem
	if err := json.Unmarshal(body, &p); err != nil || p.Code == "" {
		return fmt.Errorf("%w with status %d and no problem document", errAnswered, status)
	}

	var fields fault.Fields
	for _, e := range p.Errors {
		fields.Add(e.Field, e.Code, e.Message)
	}

	return fault.New(kind, p.Code, p.Detail, fields...)
}
