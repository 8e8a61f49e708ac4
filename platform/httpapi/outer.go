package httpapi

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"time"
)

const (
	maxDrain     = 16 << 20        // bytes of an unread body to discard
	drainBody    = 5 * time.Second // for discarding them
	writeTimeout = 60 * time.Second
)

// outer wraps every other handler. It identifies the caller, sets the headers of every answer,
// starts the time for writing when the answer starts, and reads the rest of a body: a connection
// that is closed on unread bytes loses its answer.
func outer(caller func(context.Context) string) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("X-Content-Type-Options", "nosniff")
			w.Header().Set("Cache-Control", "no-store")

			host, _, err := net.SplitHostPort(r.RemoteAddr)
			if err != nil {
				host = r.RemoteAddr
			}

			who := callerOf{address: host, identity: caller}
			r = r.WithContext(context.WithValue(r.Context(), callerKey, who))

			body := &endedBody{ReadCloser: r.Body}
			if r.Body != nil && r.Body != http.NoBody {
				r.Body = body
			}

			a := &answerWriter{ResponseWriter: w}
			next.ServeHTTP(a, r)

			if r.Body == body && !body.ended && r.Header.Get("Expect") == "" {
				drain(w, body)
			}
		})
	}
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

// answerWriter starts the time for writing an answer at its first byte, however long the work took.
type answerWriter struct {
	http.ResponseWriter

	started bool
}

func (a *answerWriter) Unwrap() http.ResponseWriter { return a.ResponseWriter }

func (a *answerWriter) WriteHeader(status int) {
	a.start()
	a.ResponseWriter.WriteHeader(status)
}

func (a *answerWriter) Write(p []byte) (int, error) {
	a.start()
	return a.ResponseWriter.Write(p)
}

func (a *answerWriter) start() {
	if a.started {
		return
	}

	a.started = true
	//nolint:forbidigo // deadlines of connections go by the system's clock
	_ = http.NewResponseController(a.ResponseWriter).SetWriteDeadline(time.Now().Add(writeTimeout))
}

// callerOf is the identity of a caller.
type callerOf struct {
	address  string
	identity func(context.Context) string
}

// Caller returns the key by which a request's share of a resource is counted: the user of its
// token, or its client address.
func Caller(ctx context.Context) string {
	who, _ := ctx.Value(callerKey).(callerOf)
	if who.identity != nil {
		if user := who.identity(ctx); user != "" {
			return "user " + user
		}
	}

	return "address " + who.address
}

// left reports whether the caller has gone. A failure for that reason is not ours; a request that
// ended because of our deadline, or because we closed the connection, is.
func left(ctx context.Context) bool {
	if !errors.Is(ctx.Err(), context.Canceled) {
		return false
	}

	c, known := ctx.Value(connectionKey).(*connection)

	return !known || !c.endedByUs()
}
