package httpapi_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
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

// stalled sends all but the last byte of a body of 1 MiB.
func stalled(t *testing.T, address, user string) net.Conn {
	t.Helper()
	body := `{"text":"` + strings.Repeat("a", httpapi.MaxBody-len(`{"text":""}`)) + `"}`

	var d net.Dialer

	conn, err := d.DialContext(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}

	t.Cleanup(func() { _ = conn.Close() })

	_, err = fmt.Fprintf(
		conn,
		"POST /notes HTTP/1.1\r\nHost: x\r\nX-User: %s\r\nContent-Type: application/json\r\n"+
			"Content-Length: %d\r\n\r\n%s",
		user,
		len(body),
		body[:len(body)-1],
	)
	if err != nil {
		t.Fatal(err)
	}

	return conn
}

// Unfinished bodies of one caller take no room from other callers, and time out.
func TestStalledBodiesKeepNoOneOut(t *testing.T) {
	t.Parallel()
	server, _ := setup(t, nil)

	var slow []net.Conn
	for range 64 {
		slow = append(slow, stalled(t, server.Listener.Addr().String(), "slow"))
	}

	text := `{"text":"` + strings.Repeat("a", httpapi.MaxBody/2) + `"}`
	for range 20 {
		answer, body := send(t, http.MethodPost, server.URL+"/notes?", "application/json", text)
		if answer.StatusCode != http.StatusUnprocessableEntity {
			t.Fatalf("another caller: %d %s, want the body to be read", answer.StatusCode, body)
		}
	}

	codes := map[string]int{}

	for _, conn := range slow {
		_ = conn.SetReadDeadline(time.Now().Add(10 * time.Second))

		answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatal(err)
		}

		var p httpapi.Problem
		if err := json.UnmarshalRead(answer.Body, &p); err != nil {
			t.Fatal(err)
		}

		codes[p.Code]++
	}

	if codes["body_timeout"] == 0 || codes["body_timeout"]+codes["body_no_room"] != len(slow) {
		t.Errorf("the stalled bodies are answered %v", codes)
	}
}

// A body takes up to fifty times its size in memory, so the number of its values is bounded.
func TestABodyOfTooManyValuesIsRefused(t *testing.T) {
	t.Parallel()
	server, _ := setup(t, nil)
	body := `{"text":"a","more":[` + strings.Repeat(`{"a":1},`, 25_000) + `1]}`
	answer, text := send(t, http.MethodPost, server.URL+"/notes", "application/json", body)

	p := problemIn(t, answer, text)
	if p.Status != http.StatusRequestEntityTooLarge || p.Code != "json_too_many_values" {
		t.Errorf("problem = %s", text)
	}
}

// A body within the documented limits is accepted if no other request is being read: a retry would
// not help.
func TestTheLargestBodyFindsRoom(t *testing.T) {
	t.Parallel()
	server, _ := setup(t, nil)

	nest := strings.Repeat(`{"a":`, 29) + "{}" + strings.Repeat("}", 29) + ","
	for name, values := range map[string]string{
		"empty objects":  strings.Repeat("{},", 49_900),
		"nested objects": strings.Repeat(nest, 1_660),
	} {
		body := `{"text":"a","more":[` + values + `1]}`
		answer, text := send(t, http.MethodPost, server.URL+"/notes", "application/json", body)

		if answer.StatusCode != http.StatusUnprocessableEntity {
			t.Errorf("%s: %d %s", name, answer.StatusCode, text)
		}
	}
}

// Many bodies at a time that become large are worked on one after the other: memory holds few.
//
//nolint:paralleltest // it measures the memory of the process
func TestDecodedBodiesAreBounded(t *testing.T) {
	server, _ := setup(t, nil)
	body := `{"text":"a","more":[` + strings.Repeat(`{"a":1},`, 24_000) + `1]}`

	var (
		wg   sync.WaitGroup
		peak atomic.Uint64
		done = make(chan struct{})
	)

	go func() {
		var m runtime.MemStats
		for {
			runtime.ReadMemStats(&m)
			peak.Store(max(peak.Load(), m.HeapInuse))

			select {
			case <-done:
				return
			case <-time.After(time.Millisecond):
			}
		}
	}()

	for range 64 {
		wg.Go(func() {
			answer, text := send(t, http.MethodPost, server.URL+"/notes", "application/json", body)
			if answer.StatusCode != http.StatusUnprocessableEntity &&
				!strings.Contains(text, "body_no_room") {
				t.Errorf("%d %s", answer.StatusCode, text)
			}
		})
	}

	wg.Wait()
	close(done)

	if peak.Load() > 256<<20 {
		t.Errorf("64 bodies took %d MiB", peak.Load()>>20)
	}
}

// Any legal spelling of the media type is accepted, whatever the framework would make of it.
func TestMediaTypesAreComparedAsRFC9110Says(t *testing.T) {
	t.Parallel()
	server, _ := setup(t, nil)

	for _, spelled := range []string{
		"Application/JSON", "application/json ; charset=utf-8", "application/json;charset=UTF-8",
		"  APPLICATION/json", "application/json;",
	} {
		answer, body := send(t, http.MethodPost, server.URL+"/notes", spelled, `{"text":"a"}`)
		if answer.StatusCode != http.StatusOK {
			t.Errorf("%q: %d %s", spelled, answer.StatusCode, body)
		}
	}
}

func TestCompressedBodiesAreRefusedWithAHint(t *testing.T) {
	t.Parallel()
	server, _ := setup(t, nil)

	for coding, want := range map[string]int{
		"gzip": http.StatusUnsupportedMediaType, "br, gzip": http.StatusUnsupportedMediaType,
		"identity\ngzip": http.StatusUnsupportedMediaType, // two headers
		"Identity":       http.StatusOK,
		"":               http.StatusOK,
	} {
		r, err := http.NewRequestWithContext(
			t.Context(),
			http.MethodPost,
			server.URL+"/notes",
			strings.NewReader(`{"text":"a"}`),
		)
		if err != nil {
			t.Fatal(err)
		}

		r.Header.Set("Content-Type", "application/json")
		r.Header["Content-Encoding"] = strings.Split(coding, "\n")

		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}

		text, err := io.ReadAll(answer.Body)
		_ = answer.Body.Close()

		hint := answer.Header.Get("Accept-Encoding") == "identity" &&
			strings.Contains(string(text), `"unsupported_content_encoding"`)
		if err != nil || answer.StatusCode != want || hint == (want == http.StatusOK) {
			t.Errorf("%q: %d %s %v", coding, answer.StatusCode, text, err)
		}
	}
}

// A caller that writes the whole body before reading still reads the answer.
func TestARefusalReachesACallerWhoStillWrites(t *testing.T) {
	t.Parallel()
	server, _ := setup(t, nil)

	for _, c := range []struct {
		size   int
		media  string
		status string
	}{
		{2 << 20, "application/json", "413"},
		{8 << 20, "application/json", "413"},
		{2 << 20, "text/plain", "415"},
	} {
		for range 30 {
			var d net.Dialer

			conn, err := d.DialContext(t.Context(), "tcp", server.Listener.Addr().String())
			if err != nil {
				t.Fatal(err)
			}

			_, err = fmt.Fprintf(
				conn,
				"POST /notes HTTP/1.1\r\nHost: x\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s",
				c.media,
				c.size,
				strings.Repeat("a", c.size),
			)
			line, readErr := bufio.NewReader(conn).ReadString('\n')
			_ = conn.Close()

			if err != nil || readErr != nil || !strings.Contains(line, c.status) {
				t.Fatalf("%d bytes: written %v, read %v: %q", c.size, err, readErr, line)
			}
		}
	}
}

// A body that breaks off is refused, however it was announced.
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

// A body with more than a hundred faults is answered with the first hundred and the note that there
// are more.
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
