package httpapi

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/google/uuid"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/propagation"
)

const (
	maxDrain     = 16 << 20        // bytes of an unread body to discard
	drainBody    = 5 * time.Second // for discarding them
	writeTimeout = 60 * time.Second
)

// exchange is a request and its answer: what all layers ask about them, in one value of the
// context. It is the writer of the answer, which has its time from its first byte on, however long
// the work took.
type exchange struct {
	http.ResponseWriter

	request string // the id
	caller  callerOf
	logger  *slog.Logger
	cursors *cursors
	body    endedBody
	status  int // of the answer; 0 until it starts
}

type exchangeKey struct{}

// exchangeOf returns the exchange of a context, or an empty one outside of a request.
func exchangeOf(ctx context.Context) *exchange {
	if e, ok := ctx.Value(exchangeKey{}).(*exchange); ok {
		return e
	}

	return &exchange{logger: slog.New(slog.DiscardHandler)}
}

// outer wraps every other handler. It begins the exchange, sets the headers of every answer,
// observes and recovers, and reads the rest of a body: a connection that is closed on unread bytes
// loses its answer.
func outer(cfg Config, cursors *cursors) func(http.Handler) http.Handler {
	o := newObserver(cfg)

	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			e := &exchange{
				ResponseWriter: w,
				request:        requestID(r),
				caller:         callerOf{address: hostOf(r), identity: cfg.Caller},
				logger:         cfg.Logger,
				cursors:        cursors,
			}
			e.setHeaders()

			ctx := r.Context()
			if r.Header[traceKey] != nil { // continue the caller's trace
				ctx = otel.GetTextMapPropagator().Extract(ctx, propagation.HeaderCarrier(r.Header))
			}

			r = r.WithContext(context.WithValue(ctx, exchangeKey{}, e))
			if r.Body != nil && r.Body != http.NoBody {
				e.body.ReadCloser = r.Body
				r.Body = &e.body
			}

			o.serve(e, r, next)

			if e.body.ReadCloser != nil && !e.body.ended && r.Header.Get("Expect") == "" {
				drain(w, &e.body)
			}
		})
	}
}

// requestIDHeader is the name of the header in documents.
const requestIDHeader = "X-Request-ID"

// Keys of http.Header: other spellings are converted at every use.
const (
	requestIDKey = "X-Request-Id"
	traceKey     = "Traceparent"
)

// Values of headers that every answer has. They are shared, so they are replaced and never changed.
//
//nolint:gochecknoglobals // constants that have the type of a header's value
var (
	nosniff = []string{"nosniff"}
	noStore = []string{"no-store"}
)

func (e *exchange) setHeaders() {
	header := e.Header()
	header["X-Content-Type-Options"] = nosniff
	header["Cache-Control"] = noStore
	header[requestIDKey] = []string{e.request}
}

func hostOf(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}

	return host
}

// requestID returns X-Request-ID if it is 1 to 128 printable ASCII characters, and a new id
// otherwise.
func requestID(r *http.Request) string {
	if id := r.Header.Get(requestIDKey); plain(id) {
		return id
	}

	return uuid.Must(uuid.NewV7()).String()
}

func plain(id string) bool {
	if id == "" || len(id) > 128 {
		return false
	}

	for i := range len(id) {
		if id[i] <= ' ' || id[i] > '~' {
			return false
		}
	}

	return true
}

// RequestID returns the id of the current request, or "" outside of one.
func RequestID(ctx context.Context) string { return exchangeOf(ctx).request }

func logger(ctx context.Context) *slog.Logger { return exchangeOf(ctx).logger }

// Unwrap returns the writer of the connection. http.ResponseController calls it.
func (e *exchange) Unwrap() http.ResponseWriter { return e.ResponseWriter }

// WriteHeader starts the answer. Only the first final status counts.
func (e *exchange) WriteHeader(status int) {
	if e.status != 0 {
		return
	}

	//nolint:forbidigo // deadlines of connections go by the system's clock
	_ = http.NewResponseController(e.ResponseWriter).SetWriteDeadline(time.Now().Add(writeTimeout))

	if status >= http.StatusOK || status == http.StatusSwitchingProtocols {
		e.status = status
	}

	e.ResponseWriter.WriteHeader(status)
}

func (e *exchange) Write(p []byte) (int, error) {
	e.WriteHeader(http.StatusOK)
	return e.ResponseWriter.Write(p)
}

// drain sends the answer and discards the rest of the body, up to a bound.
func drain(w http.ResponseWriter, body io.Reader) {
	connection := http.NewResponseController(w)
	//nolint:forbidigo // deadlines of connections go by the system's clock
	_ = connection.SetReadDeadline(time.Now().Add(drainBody))
	_ = connection.Flush()
	_, _ = io.CopyN(io.Discard, body, maxDrain)
}

// endedBody records whether its end has been read, or cannot be.
type endedBody struct {
	io.ReadCloser

	ended bool
}

func (b *endedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.ended = b.ended || err != nil

	return n, err
}

// callerOf is the identity of a caller.
type callerOf struct {
	address  string
	identity func(context.Context) string
}

// Caller returns the key by which a request's share of a resource is counted: the user of its
// token, or its client address.
func Caller(ctx context.Context) string {
	who := exchangeOf(ctx).caller
	if who.identity != nil {
		if user := who.identity(ctx); user != "" {
			return "user " + user
		}
	}

	return "address " + who.address
}

type connectionKey struct{}

// left reports whether the caller has gone. A failure for that reason is not ours; a request that
// ended because of our deadline, or because we closed the connection, is.
func left(ctx context.Context) bool {
	if !errors.Is(ctx.Err(), context.Canceled) {
		return false
	}

	c, known := ctx.Value(connectionKey{}).(*connection)

	return !known || !c.endedByUs()
}
