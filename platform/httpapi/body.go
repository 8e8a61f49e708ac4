package httpapi

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humachi"

	"tributary/platform/strictjson"
)

// MaxBody is the largest request body in bytes. A larger one is refused with status 413.
const MaxBody = 1 << 20

const (
	maxValues = 50_000   // JSON values of a body
	roomText  = 24 << 20 // bytes of all bodies that are read or being worked on
	roomValue = 16 << 20 // bytes of what they are decoded to
	firstRoom = 8 << 10  // for a body of which nothing has come yet
	roomWait  = 2 * time.Second

	csvMedia  = "text/csv"
	csvFactor = 4 // how much larger the rows of a CSV body are than its text

	bodyStall = 3 * time.Second  // between two pieces of a body
	bodyRate  = 16 << 10         // lowest rate of a body, in bytes a second
	bodyWhole = 15 * time.Second // for a whole body
)

func bodyTooLarge() error {
	return errBodyTooLarge.New("The request body is larger than 1 MiB.")
}

func noRoom() error {
	return errBodyNoRoom.
		New("The service is reading too many large requests; this one had no effect. Retry later.").
		RetryIn(time.Second)
}

// bodies bounds the memory of all request bodies, shared by caller: of their text and of the
// decoded values. A holder of room for a decoded body waits for nothing else, so room is always
// returned.
type bodies struct{ text, value *Shares }

func newBodies() *bodies {
	return &bodies{text: NewShares(roomText), value: NewShares(roomValue)}
}

// check lets a body through only if its type is one that the operation accepts, it is within the
// limits, and it is strict JSON. Later code may trust the text: no duplicate keys, valid UTF-8, no
// NUL, bounded depth and number of values. CSV is read by the operation.
func (b *bodies) check(ctx huma.Context, next func(huma.Context)) {
	op := ctx.Operation()
	if op.RequestBody == nil {
		next(ctx)
		return
	}

	media, err := mediaOf(ctx, op)
	if err != nil {
		WriteHumaError(ctx, err)
		return
	}

	r, w := humachi.Unwrap(ctx)
	caller := Caller(ctx.Context())

	body, taken, err := b.read(w, r, caller)
	defer b.text.Release(caller, taken)

	var size int64
	switch {
	case err != nil:
	case media == csvMedia:
		size = csvFactor * int64(len(body)) // the operation reads it
	default:
		size, err = strictjson.Measure(body, maxValues)
	}

	if op.SkipValidateBody { // the operation reads the text itself
		size = int64(len(body))
	}

	size = min(size, b.value.Most()) // the largest bodies are worked on alone

	if err == nil && !b.value.Wait(ctx.Context(), roomWait, caller, size) {
		err, size = noRoom(), 0
	}

	if err != nil {
		WriteHumaError(ctx, err)
		return
	}

	defer b.value.Release(caller, size)

	next(bodyContext{humaContext: ctx, media: media, body: body})
}

// mediaOf returns the media type of the body, if the operation accepts it.
func mediaOf(ctx huma.Context, op *huma.Operation) (string, error) {
	media := MediaType(ctx.Header("Content-Type"))
	if op.RequestBody.Content[media] == nil {
		return "", errContentType.New("Content-Type must be " + types(op) + ".")
	}

	r, _ := humachi.Unwrap(ctx)

	encoding := strings.TrimSpace(strings.Join(r.Header.Values("Content-Encoding"), ","))
	if encoding != "" && !strings.EqualFold(encoding, "identity") {
		ctx.SetHeader("Accept-Encoding", "identity") // RFC 9110, section 15.5.16

		return "", errContentEncoding.New(
			"Compressed bodies are not accepted: send the body uncompressed, without Content-Encoding " +
				"(identity).",
		)
	}

	return media, nil
}

// MediaType returns the media type of a Content-Type without its parameters, or "" if it is
// malformed.
func MediaType(header string) string {
	if header == "application/json" { // the common case
		return header
	}

	media, _, err := mime.ParseMediaType(header)
	if err != nil {
		return ""
	}

	return media
}

// read takes room for a body only when its first bytes have arrived: an announced length costs
// nothing. The caller must release the room that read returns as taken, even after an error. After
// read no deadline remains on the connection: net/http reads on in the background, and a deadline
// would end the request.
func (b *bodies) read(
	w http.ResponseWriter,
	r *http.Request,
	caller string,
) (body []byte, taken int64, err error) {
	if r.ContentLength > MaxBody {
		return nil, 0, bodyTooLarge()
	}

	expected := r.ContentLength
	if expected < 0 {
		expected = MaxBody + 1
	}

	clock := newBodyClock(w)

	for {
		if int64(len(body)) == taken && taken < expected {
			more := firstRoom
			if taken > 0 {
				more = MaxBody + 1 // the rest, however long
			}

			more = min(more, int(expected-taken))
			if !b.text.Wait(r.Context(), roomWait, caller, int64(more)) {
				return nil, taken, noRoom()
			}

			taken += int64(more)
			body = append(make([]byte, 0, taken), body...)
		}

		clock.start(len(body))
		n, err := r.Body.Read(body[len(body):cap(body)])

		body = body[:len(body)+n]
		switch {
		case len(body) > MaxBody:
			return nil, taken, bodyTooLarge()
		case errors.Is(err, io.EOF), err == nil && int64(len(body)) == expected:
			clock.stop()
			return body, taken, nil
		case errors.Is(err, os.ErrDeadlineExceeded):
			return nil, taken, errBodyTimeout.New("The request body did not arrive in time.")
		case err != nil:
			return nil, taken, errBodyUnreadable.Because(err, "The request body ended before it was complete.")
		}
	}
}

// bodyClock limits the time of each piece of a body, on the connection.
type bodyClock struct {
	connection *http.ResponseController
	began      time.Time
}

func newBodyClock(w http.ResponseWriter) bodyClock {
	return bodyClock{
		connection: http.NewResponseController(w),
		//nolint:forbidigo // deadlines of connections go by the system's clock
		began: time.Now(),
	}
}

// start sets the deadline of the next read, after come bytes have arrived.
func (c bodyClock) start(come int) {
	now := time.Now() //nolint:forbidigo // as above
	rate := c.began.Add(bodyStall + time.Duration(come)*time.Second/bodyRate)

	deadline := c.began.Add(bodyWhole)
	for _, other := range []time.Time{now.Add(bodyStall), rate} {
		if other.Before(deadline) {
			deadline = other
		}
	}

	_ = c.connection.SetReadDeadline(deadline) // only a test's writer has no deadline
}

func (c bodyClock) stop() { _ = c.connection.SetReadDeadline(time.Time{}) }

// bodyContext passes huma the body that has been read and checked, with the media type in huma's
// own spelling and no deadline, since the body is already in memory.
type bodyContext struct {
	humaContext

	media string
	body  []byte
}

type humaContext huma.Context // lets it be embedded beside the method Context

func (c bodyContext) BodyReader() io.Reader           { return bytes.NewReader(c.body) }
func (c bodyContext) Unwrap() huma.Context            { return c.humaContext }
func (c bodyContext) SetReadDeadline(time.Time) error { return nil }

func (c bodyContext) Header(name string) string {
	if strings.EqualFold(name, "Content-Type") {
		return c.media
	}

	return c.humaContext.Header(name)
}

func types(op *huma.Operation) string {
	text := ""
	for _, known := range []string{
		"application/json", "application/cloudevents+json", "application/cloudevents-batch+json",
		csvMedia,
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
