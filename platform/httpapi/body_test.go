package httpapi_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"tributary/platform/fault"
	"tributary/platform/httpapi"
)

// announced opens a connection, announces a body of the length and returns when the server reads
// it.
func announced(t *testing.T, address string, length int) net.Conn {
	t.Helper()

	var d net.Dialer

	conn, err := d.DialContext(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}

	t.Cleanup(func() { _ = conn.Close() })

	if _, err := fmt.Fprintf(
		conn,
		"POST /notes HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: "+
			"%d\r\nExpect: 100-continue\r\n\r\n",
		length,
	); err != nil {
		t.Fatal(err)
	}

	line, err := bufio.NewReaderSize(
		io.LimitReader(conn, int64(len("HTTP/1.1 100 Continue\r\n\r\n"))),
		64,
	).ReadString('\n')
	if err != nil || !strings.Contains(line, "100") {
		t.Fatalf("the server says %q, %v", line, err)
	}

	return conn
}

//nolint:paralleltest // it measures the memory of the process
func TestAnAnnouncedBodyTakesNoMemory(t *testing.T) {
	server, _ := setup(t, nil)
	heap := func() int64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)

		return int64(m.HeapAlloc)
	}
	before := heap()

	for range 100 {
		announced(t, server.Listener.Addr().String(), httpapi.MaxBody)
	}

	if took := heap() - before; took > 20<<20 {
		t.Errorf("100 announced bodies of 1 MiB, of which nothing has come, take %d MiB", took>>20)
	}
}

// Bodies that come and do not end fill the room for bodies; then others are refused until there is
// room again.
func TestTheRoomForBodiesIsBounded(t *testing.T) {
	t.Parallel()
	server, _ := setup(t, nil)
	text := `{"text":"` + strings.Repeat("a", httpapi.MaxBody-len(`{"text":""}`)) + `"}`
	fill := func() (leave func()) {
		var slow []net.Conn
		for range 64 {
			conn := announced(t, server.Listener.Addr().String(), len(text))
			if _, err := io.WriteString(conn, text[:len(text)-1]); err != nil {
				t.Fatal(err)
			}

			slow = append(slow, conn)
		}

		return func() {
			for _, conn := range slow {
				_ = conn.Close()
			}
		}
	}
	answers := func(status int, code string) error {
		answer, body := send(
			t,
			http.MethodPost,
			server.URL+"/notes",
			"application/json",
			`{"text":"a"}`,
		)
		if answer.StatusCode != status || !strings.Contains(body, code) ||
			(status == 503 && answer.Header.Get("Retry-After") != "1") {
			return fmt.Errorf("status %d %s, want %d %s", answer.StatusCode, body, status, code)
		}

		return nil
	}
	// Asked before the last of them has been read, the small request takes the room that this one
	// needs, and it is refused instead.
	for pause := 200 * time.Millisecond; ; pause *= 2 {
		leave := fill()
		time.Sleep(pause)
		err := answers(503, "body_no_room")
		leave()

		if err == nil {
			break
		}

		if pause > 10*time.Second {
			t.Fatal(err)
		}
	}

	deadline := time.Now().Add(10 * time.Second)
	for {
		err := answers(200, "text")
		if err == nil {
			break
		}

		if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
}

// A body that breaks off is none, however it was announced.
func TestABodyThatBreaksOffIsRefused(t *testing.T) {
	t.Parallel()

	server, _ := setup(t, nil)
	for name, head := range map[string]string{
		"length": "Content-Length: 13\r\n\r\n" + `{"text":"a"}`, "chunks": "Transfer-Encoding: " +
			"chunked\r\n\r\nc\r\n" + `{"text":"a"}`,
	} {
		var d net.Dialer

		conn, err := d.DialContext(t.Context(), "tcp", server.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}

		_, _ = io.WriteString(
			conn,
			"POST /notes HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"+head,
		)
		if tcp, ok := conn.(*net.TCPConn); ok {
			_ = tcp.CloseWrite()
		}

		answer, err := io.ReadAll(conn)
		_ = conn.Close()

		if err != nil || !strings.Contains(string(answer), "body_unreadable") {
			t.Errorf("%s: %v, %s", name, err, answer)
		}
	}
}

// Of a body full of nonsense the first hundred faults are told, and that there are more.
func TestFaultsAreToldUpToABound(t *testing.T) {
	t.Parallel()
	server, _ := setup(t, nil)

	var text strings.Builder
	for i := range 5000 {
		_, _ = fmt.Fprintf(&text, `,"x%d":1`, i)
	}

	answer, body := send(
		t,
		http.MethodPost,
		server.URL+"/notes",
		"application/json",
		`{"text":"a"`+text.String()+`}`,
	)

	var p httpapi.Problem
	if err := json.Unmarshal([]byte(body), &p); err != nil || answer.StatusCode != 422 {
		t.Fatalf("%d %s", answer.StatusCode, body)
	}

	if len(p.Errors) != fault.MaxFields+1 || p.Errors[fault.MaxFields].Code != "more_faults" ||
		p.Errors[0].Code != "unknown_field" {
		t.Errorf("%d faults, the last is %+v", len(p.Errors), p.Errors[len(p.Errors)-1])
	}
}
