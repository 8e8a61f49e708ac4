package rest

import (
	"crypto/sha256"
	"io"
	"reflect"
	"slices"
	"strconv"

	"github.com/danielgtaylor/huma/v2"
	"go.opentelemetry.io/otel/trace"

	"tributary/platform/auth"
	"tributary/platform/fault"
	"tributary/platform/httpapi"
	"tributary/platform/strictjson"
	"tributary/tracking/internal/application/command"
)

// handle registers an operation whose handler decodes the body: huma documents it and runs the
// middleware, but skips its generic decoding, which costs more than the rest of the request.
func handle(api huma.API, op huma.Operation, handler func(call call) error) {
	op.SkipValidateBody = true

	api.OpenAPI().AddOperation(&op)
	api.Adapter().Handle(&op, api.Middlewares().Handler(func(ctx huma.Context) {
		c := call{ctx: ctx}

		err := c.checkQuery()
		if err == nil {
			err = c.checkMode()
		}

		if err == nil {
			err = handler(c)
		}

		if err != nil {
			httpapi.WriteHumaError(ctx, err)
		}
	}))
}

// call is one request of such an operation.
type call struct{ ctx huma.Context }

// checkQuery refuses query parameters: the operation has no parameters.
func (c call) checkQuery() error {
	url := c.ctx.URL()
	if url.RawQuery == "" {
		return nil
	}

	var (
		faults fault.Fields
		names  []string
	)
	for name := range url.Query() {
		names = append(names, name)
	}

	slices.Sort(names)

	for _, name := range names {
		faults.Add(fault.Name(name), fault.ErrUnknownField, "is not a parameter of this request")
	}

	return faults.Err()
}

// checkMode refuses a CloudEvent in binary mode: its headers, and its id with them, would be
// ignored, and each retry would be another event.
func (c call) checkMode() error {
	if c.media() != mediaJSON ||
		(c.ctx.Header("Ce-Specversion") == "" && c.ctx.Header("Ce-Id") == "") {
		return nil
	}

	return errBinaryMode.New(
		"Send CloudEvents in structured mode: Content-Type " + mediaCloud + ", with the " +
			"attributes in the body instead of in headers.",
	)
}

var errBinaryMode = fault.Define(
	fault.UnsupportedType,
	"cloudevents_binary_mode",
	"CloudEvents are accepted in structured mode, with the attributes in the body; the request has "+
		"them in ce- headers.",
)

// body returns the request's body, which the middleware has read and checked.
func (c call) body() ([]byte, error) {
	var b grab
	if from, ok := c.ctx.BodyReader().(io.WriterTo); ok {
		_, err := from.WriteTo(&b)
		return b, err
	}

	return io.ReadAll(c.ctx.BodyReader())
}

// grab keeps the slice that a bytes.Reader writes in one piece.
type grab []byte

func (g *grab) Write(p []byte) (int, error) {
	if *g == nil {
		*g = p
	} else {
		*g = slices.Concat(*g, p)
	}

	return len(p), nil
}

func (c call) media() string { return httpapi.MediaType(c.ctx.Header("Content-Type")) }

// origin returns the caller of the request, its key with the hash of the content, and its trace.
func (c call) origin(body []byte) (command.Origin, error) {
	identity, _ := auth.From(c.ctx.Context())

	from := command.Origin{
		Caller:      identity.UserID,
		Key:         c.ctx.Header("Idempotency-Key"),
		Traceparent: traceparent(trace.SpanContextFromContext(c.ctx.Context())),
	}
	if from.Key == "" {
		return from, nil
	}

	canonical, err := strictjson.Canonical(body)
	from.Hash = sha256.Sum256(append([]byte(c.ctx.Operation().OperationID+"\n"), canonical...))

	return from, err
}

func traceparent(span trace.SpanContext) string {
	if !span.IsValid() {
		return ""
	}

	return "00-" + span.TraceID().String() + "-" + span.SpanID().String() + "-" + span.TraceFlags().String()
}

// answer writes JSON text.
func (c call) answer(status int, text []byte) error {
	c.ctx.SetHeader("Content-Type", mediaJSON)
	c.ctx.SetHeader("Content-Length", strconv.Itoa(len(text)))
	c.ctx.SetStatus(status)
	_, err := c.ctx.BodyWriter().Write(text)
	_ = err // the caller has left

	return nil
}

// content documents a body or an answer.
func content(
	api huma.API,
	media string,
	kind reflect.Type,
	name string,
) map[string]*huma.MediaType {
	return map[string]*huma.MediaType{
		media: {Schema: api.OpenAPI().Components.Schemas.Schema(kind, true, name)},
	}
}

// replayedHeader documents the header of a replayed answer.
func replayedHeader() map[string]*huma.Param {
	return map[string]*huma.Param{
		"Idempotency-Replayed": {
			Schema:      &huma.Schema{Type: huma.TypeString},
			Description: "true if this is the first answer to the Idempotency-Key, sent again.",
		},
	}
}

func idempotencyKey() *huma.Param {
	longest := 255

	return &huma.Param{
		Name:   "Idempotency-Key",
		In:     "header",
		Schema: &huma.Schema{Type: huma.TypeString, MaxLength: &longest},
		Description: "For at least 24 hours the same key with the same request returns the first " +
			"answer again, with Idempotency-Replayed: true; with another request it returns 422 " +
			"idempotency_key_reused. Keys belong to the caller. " +
			"A request without any valid event is not remembered.",
	}
}
