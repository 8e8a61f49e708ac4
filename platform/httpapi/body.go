package httpapi

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humachi"
	"golang.org/x/sync/semaphore"

	"tributary/platform/fault"
	"tributary/platform/strictjson"
)

// MaxBody is the largest request body in bytes; a larger one is answered with 413.
const MaxBody = 1 << 20

const (
	maxBodies = 64 << 20 // bytes of all bodies that are read or being worked on
	firstRoom = 8 << 10  // for a body of which nothing has come yet
)

func bodyTooLarge() error {
	return fault.New(fault.TooLarge, "body_too_large", "The request body is larger than 1 MiB.")
}

func noRoom() error {
	return fault.RetryIn(
		time.Second,
		"body_no_room",
		"Too many large requests are being read; nothing was done for this one.",
		nil,
	)
}

// bodies bounds what all request bodies take in memory.
type bodies struct{ room *semaphore.Weighted }

func newBodies() *bodies { return &bodies{room: semaphore.NewWeighted(maxBodies)} }

// check lets only bodies through that are of a type which the operation takes, within the limit,
// and strict JSON. What comes after it may trust the text: no duplicate keys, valid UTF-8, no NUL,
// bounded depth.
func (b *bodies) check(ctx huma.Context, next func(huma.Context)) {
	op := ctx.Operation()
	if op.RequestBody == nil {
		next(ctx)
		return
	}

	if op.RequestBody.Content[MediaType(ctx.Header("Content-Type"))] == nil {
		WriteHumaError(
			ctx,
			fault.New(
				fault.UnsupportedType,
				"unsupported_content_type",
				"Content-Type must be "+types(op)+".",
			),
		)

		return
	}

	r, _ := humachi.Unwrap(ctx)

	body, taken, err := b.read(r)
	defer b.room.Release(taken)

	if err == nil {
		err = strictjson.Check(body)
	}

	if err != nil {
		WriteHumaError(ctx, err)
		return
	}

	next(bodyContext{humaContext: ctx, body: body})
}

// MediaType is the media type of a Content-Type without its parameters, "" for one that is
// malformed.
func MediaType(header string) string {
	if header == "application/json" { // what nearly everybody sends
		return header
	}

	media, _, err := mime.ParseMediaType(header)
	if err != nil {
		return ""
	}

	return media
}

// read takes room for a body only as its bytes arrive: a length that is merely announced costs
// nothing. The room that it tells to have taken is to be released, also after an error.
func (b *bodies) read(r *http.Request) (body []byte, taken int64, err error) {
	if r.ContentLength > MaxBody {
		return nil, 0, bodyTooLarge()
	}

	expected := r.ContentLength
	if expected < 0 {
		expected = MaxBody + 1
	}

	for {
		if int64(len(body)) == taken && taken < expected {
			more := min(max(taken, firstRoom), expected-taken)
			if !b.room.TryAcquire(more) {
				return nil, taken, noRoom()
			}

			taken += more
			body = append(make([]byte, 0, taken), body...)
		}

		n, err := r.Body.Read(body[len(body):cap(body)])

		body = body[:len(body)+n]
		switch {
		case len(body) > MaxBody:
			return nil, taken, bodyTooLarge()
		case errors.Is(err, io.EOF), err == nil && int64(len(body)) == expected:
			return body, taken, nil
		case err != nil:
			return nil, taken, fault.Because(
				err,
				fault.Malformed,
				"body_unreadable",
				"The request body could not be read to its end.",
			)
		}
	}
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
	for _, known := range []string{
		"application/json", "application/cloudevents+json", "application/cloudevents-batch+json",
	} {
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
