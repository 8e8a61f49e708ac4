package httpapi

import (
	"bytes"
	"io"
	"mime"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humachi"

	"tributary/platform/fault"
	"tributary/platform/strictjson"
)

// MaxBody is the largest request body in bytes; a larger one is answered with 413.
const MaxBody = 1 << 20

func bodyTooLarge() error {
	return fault.New(fault.TooLarge, "body_too_large", "The request body is larger than 1 MiB.")
}

// checkBody lets only bodies through that are of a type which the operation takes, within the limit, and strict JSON. What
// comes after it may trust the text: no duplicate keys, valid UTF-8, no NUL, bounded depth.
func checkBody(ctx huma.Context, next func(huma.Context)) {
	op := ctx.Operation()
	if op.RequestBody == nil {
		next(ctx)
		return
	}
	if op.RequestBody.Content[mediaType(ctx.Header("Content-Type"))] == nil {
		WriteHumaError(ctx, fault.New(fault.UnsupportedType, "unsupported_content_type", "Content-Type must be "+types(op)+"."))
		return
	}
	body, err := readBody(ctx)
	if err == nil {
		err = strictjson.Check(body)
	}
	if err != nil {
		WriteHumaError(ctx, err)
		return
	}
	next(bodyContext{humaContext: ctx, body: body})
}

// mediaType is the media type of a Content-Type without its parameters, "" for one that is malformed.
func mediaType(header string) string {
	if header == "application/json" { // what nearly everybody sends
		return header
	}
	media, _, err := mime.ParseMediaType(header)
	if err != nil {
		return ""
	}
	return media
}

func readBody(ctx huma.Context) ([]byte, error) {
	r, _ := humachi.Unwrap(ctx)
	if r.ContentLength > MaxBody {
		return nil, bodyTooLarge()
	}
	body, err := readAll(r)
	if err != nil {
		return nil, fault.Because(err, fault.Malformed, "body_unreadable", "The request body could not be read to its end.")
	}
	if len(body) > MaxBody {
		return nil, bodyTooLarge()
	}
	return body, nil
}

// readAll reads one byte more than MaxBody at most, and nothing twice when the length is known.
func readAll(r *http.Request) ([]byte, error) {
	if r.ContentLength < 0 {
		return io.ReadAll(io.LimitReader(r.Body, MaxBody+1))
	}
	body := make([]byte, r.ContentLength)
	_, err := io.ReadFull(r.Body, body)
	return body, err
}

// bodyContext gives huma the body that has been read and checked.
type bodyContext struct {
	humaContext

	body []byte
}

type humaContext huma.Context // under this name it can be embedded beside the method Context

func (c bodyContext) BodyReader() io.Reader { return bytes.NewReader(c.body) }
func (c bodyContext) Unwrap() huma.Context  { return c.humaContext }

func types(op *huma.Operation) string {
	text := ""
	for _, known := range []string{"application/json", "application/cloudevents+json", "application/cloudevents-batch+json"} {
		if op.RequestBody.Content[known] == nil {
			continue
		}
		if text != "" {
			text += " or "
		}
		text += known
	}
	return text
}
