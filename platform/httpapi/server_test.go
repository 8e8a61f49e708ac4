package httpapi_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"tributary/platform/httpapi"
	"tributary/platform/process"
	"tributary/platform/telemetry"
)

// lines is a log that can be read while it is written.
type lines struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()

	return l.text.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()

	return l.text.String()
}

// run serves POST /notes with the handler as a service does, and returns its address and log.
func run(
	t *testing.T,
	op huma.Operation,
	handler func(context.Context, *noteInput) (*noteOutput, error),
) (address string, log *lines) {
	t.Helper()

	log = &lines{}
	logger := telemetry.Logger(log, "notes", "debug")
	health := httpapi.NewHealth("notes")
	api := httpapi.New(httpapi.Config{
		Service:    "notes",
		Title:      "Notes",
		Version:    "1",
		HealthPath: "/health",
		Health:     health,
		Logger:     logger,
		Metrics:    telemetry.Metrics(),
		Now:        time.Now,
	})

	op.OperationID = "add-note"
	op.Method = http.MethodPost
	op.Path = "/notes"
	huma.Register(api.Huma, op, handler)

	server := &httpapi.Server{
		Addr: "127.0.0.1:0",
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			connection := http.NewResponseController(w)
			ctx := context.WithValue(r.Context(), controller{}, connection)
			api.Router.ServeHTTP(w, r.WithContext(ctx))
		}),
		Health:  health,
		Logger:  logger,
		MaxOpen: boundOfOpen,
		MaxIdle: boundOfIdle,
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error)

	go func() { ended <- server.Run(ctx) }()

	t.Cleanup(func() {
		stop()

		if err := <-ended; err != nil {
			t.Error(err)
		}
	})

	return listening(t, log), log
}

const (
	boundOfOpen = 16
	boundOfIdle = 8
)

// controller is the key of a request's connection.
type controller struct{}

// listening waits for the line with the server's address.
func listening(t *testing.T, log *lines) string {
	t.Helper()

	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); {
		_, after, found := strings.Cut(log.String(), `"address":"`)
		if address, _, whole := strings.Cut(after, `"`); found && whole {
			return address
		}
	}

	t.Fatal("the server does not listen")

	return ""
}

// The time for reading a body ends with the body: slower work still answers, and the connection
// serves the next request.
func TestADeadlineForTheBodyDoesNotEndTheWork(t *testing.T) {
	t.Parallel()

	const reading = 20 * time.Millisecond

	address, log := run(
		t,
		huma.Operation{BodyReadTimeout: reading},
		func(ctx context.Context, in *noteInput) (*noteOutput, error) {
			select {
			case <-ctx.Done():
				return nil, ctx.Err()
			case <-time.After(20 * reading):
			}

			var out noteOutput
			out.Body.Text = in.Body.Text

			return &out, nil
		},
	)

	client := &http.Client{Transport: &http.Transport{MaxConnsPerHost: 1}}
	defer client.CloseIdleConnections()

	for i := range 2 {
		reused := false
		trace := &httptrace.ClientTrace{
			GotConn: func(info httptrace.GotConnInfo) { reused = info.Reused },
		}

		r, err := http.NewRequestWithContext(
			httptrace.WithClientTrace(t.Context(), trace),
			http.MethodPost,
			"http://"+address+"/notes",
			strings.NewReader(`{"text":"a"}`),
		)
		if err != nil {
			t.Fatal(err)
		}

		r.Header.Set("Content-Type", "application/json")

		answer, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}

		text, err := io.ReadAll(answer.Body)
		_ = answer.Body.Close()

		if err != nil || answer.StatusCode != http.StatusOK || reused != (i == 1) {
			t.Fatalf("%d %s %v, reused: %t; log %s", answer.StatusCode, text, err, reused, log)
		}
	}
}

// A request that our deadline ends is logged as a failure; a request whose caller leaves is not.
func TestADeadlineOfOursIsNoCallerWhoLeft(t *testing.T) {
	t.Parallel()

	for name, ours := range map[string]bool{"deadline": true, "left": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			working := make(chan struct{})
			address, log := run(
				t,
				huma.Operation{},
				func(ctx context.Context, _ *noteInput) (*noteOutput, error) {
					if connection, ok := ctx.Value(controller{}).(*http.ResponseController); ok && ours {
						_ = connection.SetReadDeadline(time.Now())
					}

					close(working)
					<-ctx.Done()

					return nil, errors.New("not done")
				},
			)

			var d net.Dialer

			conn, err := d.DialContext(t.Context(), "tcp", address)
			if err != nil {
				t.Fatal(err)
			}

			defer func() { _ = conn.Close() }()

			_, _ = fmt.Fprint(
				conn,
				"POST /notes HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"+
					"Content-Length: 12\r\n\r\n"+`{"text":"a"}`,
			)

			<-working

			if !ours {
				_ = conn.Close()
			}

			text := await(t, log, "request answered")
			if failed := strings.Contains(text, `"level":"ERROR"`); failed != ours {
				t.Errorf("logged %s", text)
			}

			if counted := strings.Contains(text, `"status":500`); counted != ours {
				t.Errorf("counted %s", text)
			}
		})
	}
}

// await waits for a line of the log and returns all of it.
func await(t *testing.T, log *lines, line string) string {
	t.Helper()

	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); {
		if text := log.String(); strings.Contains(text, line) {
			return text
		}
	}

	t.Fatalf("the log does not hold %q: %s", line, log)

	return ""
}

// Connections are bounded: those beyond the limit are served when others have ended.
func TestOpenConnectionsAreBounded(t *testing.T) {
	t.Parallel()

	const opened = 3 * boundOfOpen

	served := make(chan struct{}, opened)
	release := make(chan struct{})
	address, _ := run(
		t,
		huma.Operation{},
		func(ctx context.Context, _ *noteInput) (*noteOutput, error) {
			served <- struct{}{}

			select {
			case <-release:
			case <-ctx.Done():
			}

			return &noteOutput{}, nil
		},
	)

	answers := make(chan error, opened)

	for range opened {
		go func() {
			answers <- note(t.Context(), address)
		}()
	}

	late := time.After(10 * time.Second)

	for range boundOfOpen {
		select {
		case <-served:
		case <-late:
			t.Fatal("fewer are served than the limit")
		}
	}

	select {
	case <-served:
		t.Error("more are served than the limit")
	case <-time.After(200 * time.Millisecond):
	}

	close(release)

	for range opened {
		if err := <-answers; err != nil {
			t.Error(err)
		}
	}
}

// note adds a note on a connection of its own.
func note(ctx context.Context, address string) error {
	r, err := http.NewRequestWithContext(
		ctx,
		http.MethodPost,
		"http://"+address+"/notes",
		strings.NewReader(`{"text":"a"}`),
	)
	if err != nil {
		return err
	}

	r.Header.Set("Content-Type", "application/json")
	r.Close = true

	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}

	defer func() { _ = answer.Body.Close() }()

	if answer.StatusCode != http.StatusOK {
		return errors.New(answer.Status)
	}

	return nil
}

// Idle connections are bounded: those beyond the limit are closed.
func TestIdleConnectionsAreBounded(t *testing.T) {
	t.Parallel()

	const opened = 3 * boundOfIdle

	address, _ := run(t, huma.Operation{}, func(context.Context, *noteInput) (*noteOutput, error) {
		return &noteOutput{}, nil
	})
	closed := make(chan error, opened)

	for range opened {
		var d net.Dialer

		conn, err := d.DialContext(t.Context(), "tcp", address)
		if err != nil {
			t.Fatal(err)
		}

		defer func() { _ = conn.Close() }()

		_, _ = fmt.Fprint(conn, "GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
		reader := bufio.NewReader(conn)

		answer, err := http.ReadResponse(reader, nil)
		if err != nil {
			t.Fatal(err)
		}

		_, _ = io.Copy(io.Discard, answer.Body)

		go func() {
			_, err := reader.ReadByte()
			closed <- err
		}()
	}

	for i := range opened - boundOfIdle {
		select {
		case err := <-closed:
			if !errors.Is(err, io.EOF) && !isReset(err) {
				t.Errorf("a connection ended by %v", err)
			}
		case <-time.After(10 * time.Second):
			t.Fatalf("%d connections are closed, want %d", i, opened-boundOfIdle)
		}
	}
}

func isReset(err error) bool { return errors.Is(err, syscall.ECONNRESET) }

// Every answer forbids caching and content sniffing.
func TestAnswersAreNotKept(t *testing.T) {
	t.Parallel()
	server, _ := setup(t, nil)

	for _, path := range []string{"/livez", "/health", "/nothing", "/metrics", "/openapi.json"} {
		answer, _ := send(t, http.MethodGet, server.URL+path, "", "")
		if answer.Header.Get("Cache-Control") != "no-store" ||
			answer.Header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: %v", path, answer.Header)
		}
	}
}

// With an address of its own /metrics is not on the API's.
func TestMetricsHaveAnAddressOfTheirOwn(t *testing.T) {
	t.Parallel()

	log := &lines{}
	logger := telemetry.Logger(log, "notes", "debug")
	registry := telemetry.Metrics()
	health := httpapi.NewHealth("notes")
	api := httpapi.New(httpapi.Config{
		Service:      "notes",
		Title:        "Notes",
		Version:      "1",
		HealthPath:   "/health",
		Health:       health,
		Logger:       logger,
		Metrics:      registry,
		MetricsApart: true,
		Now:          time.Now,
	})
	server := &httpapi.Server{Addr: "127.0.0.1:0", Handler: api.Router, Health: health, Logger: logger}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error)

	go func() { ended <- process.Run(ctx, logger, server.Parts("127.0.0.1:0", registry)...) }()

	t.Cleanup(func() {
		stop()

		if err := <-ended; err != nil {
			t.Error(err)
		}
	})

	var addresses []string
	for deadline := time.Now().Add(10 * time.Second); len(addresses) < 2; {
		if time.Now().After(deadline) {
			t.Fatalf("not both listen: %s", log)
		}

		addresses = regexp.MustCompile(`127\.0\.0\.1:[1-9][0-9]*`).FindAllString(log.String(), -1)
	}

	found := map[string]int{}

	for _, address := range addresses {
		for _, path := range []string{"/metrics", "/livez"} {
			answer, _ := send(t, http.MethodGet, "http://"+address+path, "", "")
			if answer.StatusCode == http.StatusOK {
				found[address+path]++
			}
		}
	}

	if len(found) != 2 || found[addresses[0]+"/metrics"]+found[addresses[1]+"/metrics"] != 1 {
		t.Errorf("answers of %v", found)
	}
}
