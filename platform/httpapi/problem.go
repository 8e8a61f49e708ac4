package httpapi

import (
	"context"
	"errors"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-json-experiment/json"

	"tributary/platform/fault"
)

// Problem is the body of every error answer: an RFC 9457 problem document with a stable code. It
// never contains a value that the caller sent.
type Problem struct { //nolint:errname // the RFC's word
	Type      string         `json:"type" format:"uri-reference" doc:"Address of the explanation of the code, at this service." example:"/docs/errors#validation_failed"`
	Title     string         `json:"title" doc:"The HTTP status in words." example:"Unprocessable Entity"`
	Status    int            `json:"status" minimum:"400" maximum:"599" doc:"The HTTP status." example:"422"`
	Detail    string         `json:"detail" doc:"What happened and what to do next, for people." example:"The request is invalid; errors lists each fault."`
	Instance  string         `json:"instance" format:"uri" doc:"URN of this request, made from request_id." example:"urn:tributary:request:019ab2c3-4d5e-7f60-8a7b-9c0d1e2f3a4b"`
	Code      string         `json:"code" doc:"Stable code for programs." example:"validation_failed"`
	RequestID string         `json:"request_id" doc:"The id of the request, as in the X-Request-ID header and the log." example:"019ab2c3-4d5e-7f60-8a7b-9c0d1e2f3a4b"`
	Errors    []ProblemField `json:"errors,omitempty" doc:"Every fault of the request, one entry each. After 100 entries a last one, more_faults, reports that there are more."`
}

// ProblemField is a fault of a field.
type ProblemField struct {
	Field   string `json:"field" doc:"Path of the field, such as metadata.amount or events[3].user_id." example:"metadata.amount"`
	Code    string `json:"code" doc:"Stable code of the fault." example:"amount_malformed"`
	Message string `json:"message" doc:"What is expected." example:"must be a decimal number in major units"`
}

// Error returns the detail.
func (p *Problem) Error() string { return p.Detail }

// GetStatus returns the HTTP status. huma calls it.
func (p *Problem) GetStatus() int { return p.Status }

// ContentType returns application/problem+json. huma calls it.
func (*Problem) ContentType(string) string { return problemType }

const problemType = "application/problem+json"

// status returns the HTTP status of a kind. It is the only place that maps them.
func status(kind fault.Kind) int {
	switch kind {
	case fault.Malformed:
		return http.StatusBadRequest
	case fault.Unauthenticated:
		return http.StatusUnauthorized
	case fault.Forbidden:
		return http.StatusForbidden
	case fault.NotFound:
		return http.StatusNotFound
	case fault.NotAllowed:
		return http.StatusMethodNotAllowed
	case fault.NotAcceptable:
		return http.StatusNotAcceptable
	case fault.Conflict:
		return http.StatusConflict
	case fault.Stale:
		return http.StatusPreconditionFailed
	case fault.TooLarge:
		return http.StatusRequestEntityTooLarge
	case fault.UnsupportedType:
		return http.StatusUnsupportedMediaType
	case fault.Invalid:
		return http.StatusUnprocessableEntity
	case fault.Exhausted:
		return http.StatusTooManyRequests
	case fault.Unavailable:
		return http.StatusServiceUnavailable
	case fault.Unreadable, fault.Internal:
	}

	return http.StatusInternalServerError
}

// problemOf turns an error into a problem document. An error that is not a fault becomes a 500 that
// hides its cause.
func problemOf(ctx context.Context, err error) *Problem {
	f, ok := fault.As(err)
	if !ok {
		f = fault.ErrInternal.New(
			"The service failed. The outcome of the request is unknown; the log has the cause " +
				"under this request id.",
		)
	}

	code := status(f.Kind())
	id := RequestID(ctx)

	p := &Problem{
		Type:      typeOf(f.Code()),
		Title:     http.StatusText(code),
		Status:    code,
		Detail:    f.Detail,
		Instance:  "urn:tributary:request:" + id,
		Code:      f.Code(),
		RequestID: id,
	}
	for _, field := range f.Fields {
		p.Errors = append(
			p.Errors,
			ProblemField{Field: field.Field, Code: field.Code.Name(), Message: field.Message},
		)
	}

	return p
}

// typeOf returns the type of a problem: a reference to the page of the service that explains the
// code.
func typeOf(code string) string { return "/docs/errors#" + code }

// headersOf sets the headers of an error: Retry-After in whole seconds, at least 1, and
// WWW-Authenticate.
func headersOf(err error, set func(name, value string)) {
	f, ok := fault.As(err)
	if !ok {
		return
	}

	switch {
	case f.RetryAfter > 0:
		set("Retry-After", strconv.Itoa(int(math.Ceil(f.RetryAfter.Seconds()))))
	case f.Kind() == fault.Unavailable || f.Kind() == fault.Exhausted:
		set("Retry-After", strconv.Itoa(int(defaultRetryAfter/time.Second)))
	}

	switch {
	// RFC 6750, section 3: no error attribute for a request without credentials
	case errors.Is(err, fault.ErrTokenMissing):
		set("WWW-Authenticate", `Bearer realm="tributary"`)
	case f.Kind() == fault.Unauthenticated:
		set("WWW-Authenticate", `Bearer realm="tributary", error="invalid_token"`)
	}
}

const defaultRetryAfter = time.Second

// WriteError writes the problem document of err. It is for handlers outside of huma, such as
// middleware.
func WriteError(w http.ResponseWriter, r *http.Request, err error) {
	logFailure(r.Context(), err)
	headersOf(err, w.Header().Set)
	p := problemOf(r.Context(), err)
	w.Header().Set("Content-Type", problemType)
	w.WriteHeader(p.Status)
	_ = json.MarshalWrite(w, p)
}

// WriteHumaError is WriteError for huma middleware.
func WriteHumaError(ctx huma.Context, err error) {
	logFailure(ctx.Context(), err)
	headersOf(err, ctx.SetHeader)
	p := problemOf(ctx.Context(), err)
	ctx.SetHeader("Content-Type", problemType)
	ctx.SetStatus(p.Status)
	_ = json.MarshalWrite(ctx.BodyWriter(), p)
}
