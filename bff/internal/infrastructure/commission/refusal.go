package commission

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/go-json-experiment/json"

	"tributary/bff/internal/application/query"
	"tributary/platform/fault"
)

// problem holds the members that this service reads of a problem document.
type problem struct {
	Code   string `json:"code"`
	Detail string `json:"detail"`
	Errors []struct {
		Field   string `json:"field"`
		Code    string `json:"code"`
		Message string `json:"message"`
	} `json:"errors"`
}

// errNotFound means that a record does not exist. Only a payout may be missing; any other 404 comes
// from a service of another version.
var errNotFound = errors.New("not found")

// errAnswered is wrapped by errors about one request only: the service works.
var errAnswered = errors.New("the service answered")

// refusal translates an answer other than 200. An error that the caller can correct (a cursor, a
// filter, a long token) is passed on. A refused token is a fault between the services, since this
// one has accepted it.
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
		return fault.ErrRateLimited.New("Too many requests. Retry after the time in Retry-After.")
	default:
		if status >= http.StatusBadRequest && status < http.StatusInternalServerError {
			// for example 431, which has no problem document
			return query.ErrRefused.New(
				"The commission service refuses the request, for example because the token is too long.",
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
		fields.Append(fault.RelayedField(e.Field, e.Code, e.Message))
	}

	return fault.Relayed(kind, p.Code, p.Detail, fields...)
}
