package httpapi

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-json-experiment/json/jsontext"

	"tributary/platform/fault"
	"tributary/platform/strictjson"
)

// WriteDocument writes the OpenAPI document of the registered operations, indented and with sorted
// keys, so that it can be committed and compared.
func (a *API) WriteDocument(w io.Writer) error {
	text, err := a.Huma.OpenAPI().MarshalJSON()
	if err != nil {
		return fmt.Errorf("openapi: %w", err)
	}

	document := jsontext.Value(text)
	if err := document.Format(
		jsontext.ReorderRawObjects(true),
		jsontext.Multiline(true),
		jsontext.WithIndent("  "),
	); err != nil {
		return fmt.Errorf("openapi: %w", err)
	}

	_, err = fmt.Fprintf(w, "%s\n", document)

	return err
}

// describer adds to every operation what all operations share: their error statuses, headers, and
// examples.
type describer struct {
	codes []CodeDoc
	open  bool
}

// operation is called by huma for each registered operation.
func (d describer) operation(document *huma.OpenAPI, op *huma.Operation) {
	if d.open {
		op.Security = []map[string][]string{}
	}

	for _, code := range d.statuses(op) {
		name := responseName(code)
		if document.Components.Responses[name] == nil {
			document.Components.Responses[name] = d.failure(code)
		}

		op.Responses[strconv.Itoa(code)] = &huma.Response{Ref: "#/components/responses/" + name}
	}

	delete(op.Responses, "default")

	for _, p := range op.Parameters {
		if p.Name == "cursor" { // checked by DecodeCursor, with a code of its own
			p.Schema.Extensions = map[string]any{"pattern": "^[A-Za-z0-9_-]*$"}
		}
	}

	schemas := document.Components.Schemas
	for code, response := range op.Responses {
		if code >= "400" {
			continue
		}

		addHeader(response, requestIDHeader)
		addExamples(schemas, response.Content)
	}

	if op.RequestBody != nil {
		addExamples(schemas, op.RequestBody.Content)
	}
}

// statuses returns the error statuses of an operation: its own and the common ones.
func (d describer) statuses(op *huma.Operation) []int {
	found := map[int]bool{
		http.StatusUnprocessableEntity: true, // for example for an unknown query parameter
		http.StatusInternalServerError: true,
		http.StatusServiceUnavailable:  true,
	}

	for _, code := range op.Errors {
		found[code] = true
	}

	for text := range op.Responses {
		if code, err := strconv.Atoi(text); err == nil && code >= http.StatusBadRequest {
			found[code] = true
		}
	}

	if op.RequestBody != nil {
		found[http.StatusBadRequest] = true
		found[http.StatusRequestEntityTooLarge] = true
		found[http.StatusUnsupportedMediaType] = true
	}

	if slices.ContainsFunc(op.Parameters, func(p *huma.Param) bool { return p.Name == "cursor" }) {
		found[http.StatusBadRequest] = true
	}

	public := op.Security != nil && len(op.Security) == 0
	found[http.StatusUnauthorized] = !public
	found[http.StatusForbidden] = !public
	found[http.StatusTooManyRequests] = !public

	maps.DeleteFunc(found, func(_ int, present bool) bool { return !present })

	return slices.Sorted(maps.Keys(found))
}

// failure returns the response of an error status, with every code that it can have.
func (d describer) failure(status int) *huma.Response {
	var text strings.Builder

	text.WriteString(http.StatusText(status) + ". Codes:\n")

	example := CodeDoc{Status: status}
	for _, c := range d.codes {
		if c.Status != status {
			continue
		}

		fmt.Fprintf(&text, "\n- `%s`: %s", c.Code, c.Meaning)

		if example.Code == "" || preferred(c.Code) {
			example = c
		}
	}

	response := &huma.Response{
		Description: text.String(),
		Content: map[string]*huma.MediaType{problemType: {
			Schema:  &huma.Schema{Ref: "#/components/schemas/Problem"},
			Example: exampleProblem(example),
		}},
	}
	addHeader(response, requestIDHeader)

	if status == http.StatusUnauthorized {
		addHeader(response, "WWW-Authenticate")
	}

	if status == http.StatusServiceUnavailable || status == http.StatusTooManyRequests {
		addHeader(response, "Retry-After")
	}

	return response
}

// preferred reports whether the code is the most frequent one of its status.
func preferred(code string) bool {
	switch code {
	case strictjson.ErrSyntax.Name(),
		fault.ErrTokenMissing.Name(),
		fault.ErrValidation.Name(),
		fault.ErrDatabase.Name():
		return true
	}

	return false
}

func exampleProblem(c CodeDoc) Problem {
	const id = "019ab2c3-4d5e-7f60-8a7b-9c0d1e2f3a4b"

	p := Problem{
		Type:      typeOf(c.Code),
		Title:     http.StatusText(c.Status),
		Status:    c.Status,
		Detail:    c.Meaning,
		Instance:  "urn:tributary:request:" + id,
		Code:      c.Code,
		RequestID: id,
	}
	if c.Code == fault.ErrValidation.Name() {
		p.Errors = []ProblemField{{Field: "user_id", Code: fault.ErrRequired.Name(), Message: "is required"}}
	}

	return p
}

// responseName returns the name of a status under components/responses, such as NotFound.
func responseName(status int) string {
	return strings.ReplaceAll(http.StatusText(status), " ", "")
}

func addHeader(response *huma.Response, name string) {
	if response.Headers == nil {
		response.Headers = map[string]*huma.Param{}
	}

	response.Headers[name] = &huma.Param{Ref: "#/components/headers/" + name}
}

// headers returns the headers that this package sets.
func headers() map[string]*huma.Param {
	text := &huma.Schema{Type: huma.TypeString}
	least := 1.0

	return map[string]*huma.Param{
		requestIDHeader: {
			Description: "The X-Request-ID of the request, or a new id. The log contains it too.",
			Schema:      text,
		},
		"Retry-After": {
			Description: "The seconds to wait before the request is sent again.",
			Schema:      &huma.Schema{Type: huma.TypeInteger, Minimum: &least},
		},
		"WWW-Authenticate": {
			Description: "The Bearer challenge of RFC 6750.",
			Schema:      text,
		},
	}
}

// addExamples adds an example to each media type without one, composed of the examples of the
// members.
func addExamples(schemas huma.Registry, content map[string]*huma.MediaType) {
	for _, media := range content {
		if media.Example == nil && len(media.Examples) == 0 && media.Schema != nil {
			media.Example = example(schemas, media.Schema, nil)
		}
	}
}

// example returns a value of the schema. open are the references that enclose it.
func example(schemas huma.Registry, s *huma.Schema, open []string) any {
	if s.Ref != "" {
		open = append(slices.Clip(open), s.Ref)
		s = schemas.SchemaFromRef(s.Ref)
	}

	switch {
	case len(s.Examples) > 0:
		return s.Examples[0]
	case s.Default != nil:
		return s.Default
	case len(s.Enum) > 0:
		return s.Enum[0]
	case s.Type == huma.TypeArray:
		return exampleList(schemas, s, open)
	case s.Type == huma.TypeObject:
		return exampleObject(schemas, s, open)
	}

	return exampleScalar(s)
}

func exampleList(schemas huma.Registry, s *huma.Schema, open []string) any {
	if slices.Contains(open, s.Items.Ref) {
		return []any{}
	}

	return []any{example(schemas, s.Items, open)}
}

// exampleObject leaves out optional members without an example of their own.
func exampleObject(schemas huma.Registry, s *huma.Schema, open []string) any {
	object := map[string]any{}
	for name, member := range s.Properties {
		required := slices.Contains(s.Required, name)
		if !required && (len(member.Examples) == 0 || slices.Contains(open, member.Ref)) {
			continue
		}

		object[name] = example(schemas, member, open)
	}

	return object
}

func exampleScalar(s *huma.Schema) any {
	switch s.Type {
	case huma.TypeBoolean:
		return true
	case huma.TypeInteger:
		return int64(cmp.Or(deref(s.Minimum), 1))
	}

	switch s.Format {
	case "date-time":
		return "2026-11-23T10:15:00Z"
	case "uuid":
		return "019ab2c3-4d5e-7f60-8a7b-9c0d1e2f3a4b"
	}

	if s.Nullable {
		return nil
	}

	return "text"
}

func deref(v *float64) float64 {
	if v == nil {
		return 0
	}

	return *v
}
