package httpapi

import (
	"context"
	"errors"
	"net"
	"net/http"
	"os"
	"sync/atomic"
)

// The bounds of connections unless the Server sets others; each takes some 20 KiB. Only half of the
// open ones may wait for their next request: the other half is left for new callers.
const (
	maxOpen = 2048
	maxIdle = 1024
)

// connection remembers why reading from it ended: net/http cancels a request's context both for a
// caller who left and for a deadline.
type connection struct {
	net.Conn

	// the last read ended by a deadline, or because the server closed the connection
	ours atomic.Bool
	idle atomic.Bool
}

func (c *connection) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.ours.Store(errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, net.ErrClosed))

	return n, err
}

func (c *connection) endedByUs() bool { return c.ours.Load() }

type connections struct {
	net.Listener

	maxIdle int64
	idle    atomic.Int64
}

func (l *connections) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}

	return &connection{Conn: c}, nil
}

// know adds the connection to the context of its requests.
func (*connections) know(ctx context.Context, c net.Conn) context.Context {
	return context.WithValue(ctx, connectionKey{}, c)
}

// observe counts idle connections and closes those beyond the limit.
func (l *connections) observe(c net.Conn, state http.ConnState) {
	of, ok := c.(*connection)
	if !ok {
		return
	}

	switch idle := state == http.StateIdle; {
	case of.idle.Swap(idle) == idle:
	case !idle:
		l.idle.Add(-1)
	case l.idle.Add(1) > l.maxIdle:
		_ = c.Close()
	}
}
