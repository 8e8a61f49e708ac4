package httpapi

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"

	"github.com/danielgtaylor/huma/v2"

	"tributary/platform/fault"
)

// installErrors has huma answer with our problem documents. huma keeps these hooks in package
// variables, so they are set once in the process.
func installErrors() { hooks() }

//nolint:gochecknoglobals // huma's hooks are process-wide variables; they must be set exactly once.
var hooks = sync.OnceFunc(func() {
	huma.ValidateStrictCasing = true
	huma.DefaultArrayNullable = false
	huma.NewError = func(status int, _ string, errs ...error) huma.StatusError {
		return newProblem(nil, status, errs)
	}
	huma.NewErrorWithContext = func(ctx huma.Context, status int, _ string, errs ...error) huma.StatusError {
		return newProblem(ctx, status, errs)
	}
})

// newProblem turns huma's error (its own validation results, or the handler's error) into a
// problem.
func newProblem(ctx huma.Context, status int, errs []error) *Problem {
	err := faultOf(status, errs)
	if ctx == nil { // huma asks for an example when it writes the OpenAPI document
		return &Problem{Status: status}
	}

	logFailure(ctx.Context(), err)
	headersOf(err, ctx.SetHeader)

	return problemOf(ctx.Context(), err)
}

func faultOf(status int, errs []error) error {
	var (
		fields fault.Fields
		others []error // a detail of huma quotes the input, so its text is not logged
	)
	for _, e := range errs {
		if f, ok := fault.As(e); ok {
			if len(errs) == 1 {
				return f
			}

			for _, field := range f.Fields {
				fields.Append(field)
			}

			continue
		}

		var detail *huma.ErrorDetail
		if !errors.As(e, &detail) {
			others = append(others, e)
		} else {
			fields.Append(fieldOf(detail))
		}
	}

	switch {
	case status == http.StatusUnprocessableEntity && len(fields) > 0:
		return fields.Err()
	case status == http.StatusNotAcceptable:
		return errNotAcceptable.New("This resource has no representation of the types in Accept.")
	case status == http.StatusBadRequest, status == http.StatusUnprocessableEntity:
		return errBodyUnreadable.New("The request body cannot be read as what this operation expects.",
			fields...)
	case len(others) > 0:
		return errors.Join(others...)
	}

	return fmt.Errorf("the framework refused the request with status %d", status)
}

// fieldOf translates huma's finding. Location is "body.metadata.amount", "query.limit", "path.id"
// or "header.X".
func fieldOf(d *huma.ErrorDetail) fault.Field {
	field := d.Location
	for _, prefix := range []string{"body.", "query.", "path.", "header."} {
		field = strings.TrimPrefix(field, prefix)
	}

	code := fault.ErrInvalidValue

	if name, ok := strings.CutPrefix(d.Message, "expected required property "); ok {
		name = strings.TrimSuffix(name, " to be present")
		return fault.Field{Field: join(field, name), Code: fault.ErrRequired, Message: "is required"}
	}

	switch {
	case d.Message == "unexpected property", d.Message == "unknown query parameter":
		return fault.Field{
			Field:   fault.Name(field),
			Code:    fault.ErrUnknownField,
			Message: "is not a field of this request",
		}
	case d.Value == nil && isMember(d.Location) && strings.HasPrefix(d.Message, "expected "):
		// null: an optional member may be absent, a required one is missing
		return fault.Field{Field: fault.Name(field), Code: fault.ErrRequired, Message: "is required"}
	case strings.HasPrefix(d.Message, "required "):
		return fault.Field{Field: field, Code: fault.ErrRequired, Message: "is required"}
	case strings.HasPrefix(d.Message, "expected boolean"),
		d.Message == "expected string",
		d.Message == "expected number",
		d.Message == "expected integer",
		d.Message == "expected array",
		d.Message == "expected object":
		code = fault.ErrWrongType
	case strings.HasPrefix(d.Message, "expected length >="):
		code = fault.ErrTooShort
	case strings.HasPrefix(d.Message, "expected length <="):
		code = fault.ErrTooLong
	case strings.HasPrefix(d.Message, "expected array length"):
		code = fault.ErrWrongCount
	case strings.HasPrefix(d.Message, "expected"):
	default: // a parser's own message may quote the input
		return fault.Field{Field: fault.Name(field), Code: code, Message: "cannot be read"}
	}

	return fault.Field{Field: fault.Name(field), Code: code, Message: d.Message}
}

// isMember reports whether a location is a member of an object, and not the whole body or an
// element of an array.
func isMember(location string) bool {
	return strings.HasPrefix(location, "body.") && !strings.HasSuffix(location, "]")
}

func join(parent, name string) string {
	if parent == "" || parent == "body" {
		return name
	}

	return parent + "." + name
}
