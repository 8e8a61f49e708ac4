package bench

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"strconv"
	"sync"
	"time"

	"github.com/google/uuid"
)

// client is a bare HTTP/1.1 client on one kept connection: net/http's would take more of the two
// cores than the server under test.
type client struct {
	conn   net.Conn
	reader *bufio.Reader
	out    []byte
}

func dial(ctx context.Context, addr string) (*client, error) {
	var d net.Dialer

	conn, err := d.DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}

	return &client{conn: conn, reader: bufio.NewReaderSize(conn, 16<<10)}, nil
}

func dialMany(ctx context.Context, addr string, n int) ([]*client, error) {
	clients := make([]*client, 0, n)
	for range n {
		c, err := dial(ctx, addr)
		if err != nil {
			hangUp(clients)
			return nil, err
		}

		clients = append(clients, c)
	}

	return clients, nil
}

func hangUp(clients []*client) {
	for _, c := range clients {
		_ = c.conn.Close()
	}
}

// post sends the body and returns the status of the answer.
func (c *client) post(path, headers string, body []byte) (int, error) {
	c.out = append(
		c.out[:0],
		"POST "+path+" HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\n"+headers+"Content-Length: "...)
	c.out = strconv.AppendInt(c.out, int64(len(body)), 10)

	c.out = append(append(c.out, "\r\n\r\n"...), body...)
	if _, err := c.conn.Write(c.out); err != nil {
		return 0, err
	}

	return c.answer()
}

func (c *client) answer() (int, error) {
	line, err := c.reader.ReadSlice('\n')
	if err != nil {
		return 0, err
	}

	if len(line) < 12 {
		return 0, fmt.Errorf("odd status line %q", line)
	}

	status, err := strconv.Atoi(string(line[9:12]))
	if err != nil {
		return 0, err
	}

	length := 0
	for {
		line, err := c.reader.ReadSlice('\n')
		if err != nil {
			return 0, err
		}

		if len(bytes.TrimSpace(line)) == 0 {
			break
		}

		if name, value, ok := bytes.Cut(line, []byte(":")); ok &&
			bytes.EqualFold(name, []byte("Content-Length")) {
			if length, err = strconv.Atoi(string(bytes.TrimSpace(value))); err != nil {
				return 0, err
			}
		}
	}

	_, err = io.CopyN(io.Discard, c.reader, int64(length))

	return status, err
}

// Load sends events to tracking.
type Load struct {
	Addr  string // of tracking
	Users int    // the number of users of the events
}

const eventsPath = "/api/v1/tracking/events"

// members returns the members of the nth event: its user and campaign, and its metadata.
func (l Load) members(n int) (user, campaign, metadata string) {
	return "user-" + strconv.Itoa(n%max(l.Users, 1)),
		"camp-" + strconv.Itoa(n%50),
		`{"page":"/offers/summer","n":` + strconv.Itoa(n) + `}`
}

// event returns the nth event, a click with a new id, about 150 bytes.
func (l Load) event(n int) []byte {
	user, campaign, metadata := l.members(n)

	return fmt.Appendf(
		nil,
		`{"event_id":"%s","user_id":"%s","event_type":"click","campaign_id":"%s","metadata":%s}`,
		uuid.Must(uuid.NewV7()),
		user,
		campaign,
		metadata,
	)
}

func (l Load) batch(size, n int) []byte {
	var b bytes.Buffer
	b.WriteString(`{"events":[`)

	for i := range size {
		if i > 0 {
			b.WriteByte(',')
		}

		b.Write(l.event(n + i))
	}

	b.WriteString(`]}`)

	return b.Bytes()
}

// Closed posts as fast as answers arrive, on a number of connections, size events a request.
func (l Load) Closed(
	ctx context.Context,
	length time.Duration,
	connections, size int,
) (Done, error) {
	clients, err := dialMany(ctx, l.Addr, connections)
	if err != nil {
		return Done{}, err
	}
	defer hangUp(clients)
	counts := make([]int, connections)

	return during(ctx, length, connections, func(_ context.Context, w int) (int, error) {
		counts[w]++

		n := counts[w]*connections + w
		if size == 1 {
			status, err := clients[w].post(eventsPath, "", l.event(n))
			if err == nil && status != 201 {
				err = fmt.Errorf("status %d", status)
			}

			return 1, err
		}

		status, err := clients[w].post(eventsPath+"/batch", "", l.batch(size, n*size))
		if err == nil && status != 200 {
			err = fmt.Errorf("status %d", status)
		}

		return size, err
	})
}

// Open posts single events at a fixed rate, whether answers arrive or not, and returns the
// latencies. Each counts from when the request was due, not from when a connection was free to send
// it, so that a stall is not hidden.
func (l Load) Open(
	ctx context.Context,
	length time.Duration,
	connections int,
	rate float64,
) ([]time.Duration, error) {
	var (
		mu     sync.Mutex
		all    []time.Duration
		failed error
		wg     sync.WaitGroup
	)
	begin := time.Now().Add(100 * time.Millisecond)

	step := time.Duration(float64(time.Second) * float64(connections) / rate)
	for w := range connections {
		c, err := dial(ctx, l.Addr)
		if err != nil {
			return nil, err
		}

		defer func() { _ = c.conn.Close() }()
		wg.Go(func() {
			var mine []time.Duration

			due := begin.Add(step * time.Duration(w) / time.Duration(connections))
			for n := 0; due.Sub(begin) < length && ctx.Err() == nil; n++ {
				time.Sleep(time.Until(due))

				status, err := c.post(eventsPath, "", l.event(n*connections+w))
				if err == nil && status != 201 {
					err = fmt.Errorf("status %d", status)
				}

				if err != nil {
					mu.Lock()
					failed = err
					mu.Unlock()

					return
				}

				mine = append(mine, time.Since(due))
				due = due.Add(step)
			}

			mu.Lock()
			all = append(all, mine...)
			mu.Unlock()
		})
	}

	wg.Wait()

	return all, failed
}
