package httpapi

import (
	"context"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-json-experiment/json"

	"tributary/platform/fault"
)

// Problem is the one shape of every error answer: an RFC 9457 problem document with a stable code.
// It never holds a value that the caller sent.
type Problem struct { //nolint:errname // the RFC's word
	Type      string         `json:"type" format:"uri-reference" doc:"Where this service explains the code." example:"/docs/errors#validation_failed"`
	Title     string         `json:"title" doc:"The status in words." example:"Unprocessable Entity"`
	Status    int            `json:"status" minimum:"400" maximum:"599" doc:"The HTTP status." example:"422"`
	Detail    string         `json:"detail" doc:"What happened and what to do next, for people." example:"The request breaks the rules listed in errors."`
	Instance  string         `json:"instance" format:"uri" doc:"URN of this request, made from request_id." example:"urn:tributary:request:019ab2c3-4d5e-7f60-8a7b-9c0d1e2f3a4b"`
	Code      string         `json:"code" doc:"Stable code for programs." example:"validation_failed"`
	RequestID string         `json:"request_id" doc:"The id of the request, as in the X-Request-ID header and in the log." example:"019ab2c3-4d5e-7f60-8a7b-9c0d1e2f3a4b"`
	Errors    []ProblemField `json:"errors,omitempty" doc:"Every fault of the request, one entry each. After 100 entries a last one, more_faults, says that there are more."`
}

// ProblemField is one fault of one field.
type ProblemField struct {
	Field   string `json:"field" doc:"Path of the field, such as metadata.amount or events[3].user_id." example:"metadata.amount"`
	Code    string `json:"code" doc:"Stable code of the fault." example:"amount_malformed"`
	Message string `json:"message" doc:"What is expected." example:"must be a decimal number in major units"`
}

// Error gives the detail.
func (p *Problem) Error() string { return p.Detail }

// GetStatus gives the HTTP status; huma asks for it.
func (p *Problem) GetStatus() int { return p.Status }

// ContentType is application/problem+json; huma asks for it.
func (*Problem) ContentType(string) string { return problemType }

const problemType = "application/problem+json"

// status is the only place where a kind of fault becomes an HTTP status.
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
	case fault.Precondition:
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
	}

	return http.StatusInternalServerError
}

// problemOf turns any error into a problem document. An error that is no fault is a 500 that tells
// nothing of its cause.
func problemOf(ctx context.Context, err error) *Problem {
	f, ok := fault.As(err)
	if !ok {
		f = &fault.Error{
			Code: "internal_error",
			Detail: "The service failed. Nothing is known about the outcome; the log has the " +
				"cause under this request id.",
		}
	}

	code := status(f.Kind)
	id := RequestID(ctx)

	p := &Problem{
		Type:      typeOf(f.Code),
		Title:     http.StatusText(code),
		Status:    code,
		Detail:    f.Detail,
		Instance:  "urn:tributary:request:" + id,
		Code:      f.Code,
		RequestID: id,
	}
	for _, field := range f.Fields {
		p.Errors = append(
			p.Errors,
			ProblemField{Field: field.Field, Code: field.Code, Message: field.Message},
		)
	}

	return p
}

// typeOf is the type of a problem: a reference to the page of the service that explains the code.
func typeOf(code string) string { return "/docs/errors#" + code }

// headersOf gives the headers that belong to an error: Retry-After in whole seconds (a delay, at
// least 1) and WWW-Authenticate.
func headersOf(err error, set func(name, value string)) {
	f, ok := fault.As(err)
	if !ok {
		return
	}

	switch {
	case f.RetryAfter > 0:
		set("Retry-After", strconv.Itoa(int(math.Ceil(f.RetryAfter.Seconds()))))
	case f.Kind == fault.Unavailable || f.Kind == fault.Exhausted:
		set("Retry-After", strconv.Itoa(int(defaultRetryAfter/time.Second)))
	}

	switch {
	// RFC 6750, section 3: no error attribute for a request without credentials
	case f.Code == "token_missing":
		set("WWW-Authenticate", `Bearer realm="tributary"`)
	case f.Kind == fault.Unauthenticated:
		set("WWW-Authenticate", `Bearer realm="tributary", error="invalid_token"`)
	}
}

const defaultRetryAfter = time.Second

// WriteError answers with the problem document of err. It is for handlers outside of huma, such as
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
