package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

// world is a feed and an endpoint.
type world struct {
	t    *testing.T
	feed *httptest.Server
	hook *httptest.Server

	mu     sync.Mutex
	events []string
	got    map[string][]int64              // sequences by key, in the order of arrival
	answer func(key string, seq int64) int // status of a delivery
	asked  int                             // deliveries
}

func newWorld(t *testing.T) *world {
	t.Helper()

	w := &world{
		t:      t,
		got:    map[string][]int64{},
		answer: func(string, int64) int { return http.StatusNoContent },
	}
	w.feed = httptest.NewServer(http.HandlerFunc(w.serveFeed))
	w.hook = httptest.NewServer(http.HandlerFunc(w.serveHook))
	t.Cleanup(w.feed.Close)
	t.Cleanup(w.hook.Close)

	return w
}

// add adds events of users, whose sequences go on.
func (w *world) add(keys ...string) {
	w.mu.Lock()
	defer w.mu.Unlock()

	for _, key := range keys {
		n := 1

		for _, e := range w.events {
			if parse(w.t, e).Key == key {
				n++
			}
		}

		text := fmt.Sprintf(`{"id":"%s-%d","sequence":%d,"user_id":%q}`, key, n, n, key[len("user "):])
		if key[:5] == rulePrefix {
			text = fmt.Sprintf(
				`{"id":"%s-%d","sequence":%d,"data":{"rule":{"rule_id":%q}}}`,
				key,
				n,
				n,
				key[len("rule "):],
			)
		}

		w.events = append(w.events, text)
	}
}

func parse(t *testing.T, text string) event {
	t.Helper()

	var e event
	if err := json.Unmarshal([]byte(text), &e); err != nil {
		t.Fatal(err)
	}

	return e
}

// serveFeed answers pages of two, so that every key has several.
func (w *world) serveFeed(out http.ResponseWriter, in *http.Request) {
	w.mu.Lock()
	defer w.mu.Unlock()

	from, _ := strconv.Atoi(in.FormValue("cursor"))
	page := []json.RawMessage{}

	for ; from < len(w.events) && len(page) < 2; from++ {
		key := parse(w.t, w.events[from]).Key

		user, kind := in.FormValue("user_id"), in.FormValue("type")
		if (user == "" || key == userPrefix+user) && (kind == "" || key[:5] == rulePrefix) {
			page = append(page, json.RawMessage(w.events[from]))
		}
	}

	_ = json.NewEncoder(out).Encode(map[string]any{
		"data":        page,
		"has_more":    from < len(w.events),
		"next_cursor": strconv.Itoa(from),
	})
}

func (w *world) serveHook(out http.ResponseWriter, in *http.Request) {
	body, _ := io.ReadAll(in.Body)

	verifier, _ := standardwebhooks.NewWebhook(secret)
	if err := verifier.Verify(body, in.Header); err != nil {
		w.t.Errorf("signature: %v", err)
	}

	e := parse(w.t, string(body))

	w.mu.Lock()
	defer w.mu.Unlock()

	w.asked++

	status := w.answer(e.Key, e.Sequence)
	if status/100 == 2 {
		w.got[e.Key] = append(w.got[e.Key], e.Sequence)
	}

	out.WriteHeader(status)
}

// start runs a forwarder, and returns what stops it and returns its error.
func (w *world) start(path string) (stop func() error) {
	w.t.Helper()

	target, err := newEndpoint(w.hook.URL, secret)
	if err != nil {
		w.t.Fatal(err)
	}

	f, err := newForwarder(newFeed(w.feed.URL, ""), target, path, slog.New(slog.DiscardHandler))
	if err != nil {
		w.t.Fatal(err)
	}

	f.first = time.Millisecond
	f.longest = 5 * time.Millisecond

	ctx, cancel := context.WithCancel(w.t.Context())
	done := make(chan error, 1)

	go func() { done <- f.run(ctx) }()

	return func() error {
		cancel()
		return <-done
	}
}

// await waits until the endpoint has so many events of the key, and returns all that it has.
func (w *world) await(key string, n int) []int64 {
	w.t.Helper()

	for range 2000 {
		w.mu.Lock()
		got := slices.Clone(w.got[key])
		w.mu.Unlock()

		if len(got) >= n {
			return got
		}

		time.Sleep(5 * time.Millisecond)
	}

	w.t.Fatalf("%s: fewer than %d events arrived", key, n)

	return nil
}

func (w *world) want(key string, sequences ...int64) {
	w.t.Helper()

	if got := w.await(key, len(sequences)); !slices.Equal(got, sequences) {
		w.t.Errorf("%s: got %v, want %v", key, got, sequences)
	}
}

// set changes what the endpoint answers.
func (w *world) set(answer func(key string, seq int64) int) {
	w.mu.Lock()
	defer w.mu.Unlock()

	w.answer = answer
}

// One user's failing deliveries delay no other user, and keep their order.
func TestOthersGoOn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.add("user a", "user b", "rule r", "user a", "user b", "rule r", "user a")
	w.set(func(key string, seq int64) int {
		if key == "user a" && seq == 2 || key == "rule r" && seq == 1 {
			return http.StatusServiceUnavailable
		}

		return http.StatusOK
	})
	stop := w.start(filepath.Join(t.TempDir(), "state"))

	w.want("user b", 1, 2)
	w.add("user b", "user a", "user b")
	w.want("user b", 1, 2, 3, 4)
	w.want("user a", 1)

	w.set(func(string, int64) int { return http.StatusOK })
	w.want("user a", 1, 2, 3, 4)
	w.want("rule r", 1, 2)
	w.add("user a", "rule r", "user b")
	w.want("user a", 1, 2, 3, 4, 5)
	w.want("rule r", 1, 2, 3)
	w.want("user b", 1, 2, 3, 4, 5)

	if err := stop(); err != nil {
		t.Error(err)
	}
}

// A restart goes on where the state is, also for a key that is behind.
func TestRestart(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	path := filepath.Join(t.TempDir(), "state")
	w.add("user a", "user b", "user a")
	w.set(func(key string, _ int64) int {
		if key == "user a" {
			return http.StatusInternalServerError
		}

		return http.StatusOK
	})
	stop := w.start(path)
	w.add("user b", "user b", "user b", "user b")
	w.want("user b", 1, 2, 3, 4, 5)

	if err := stop(); err != nil {
		t.Error(err)
	}

	w.set(func(string, int64) int { return http.StatusOK })

	stop = w.start(path)
	w.want("user a", 1, 2)
	w.add("user a", "user b")
	w.want("user a", 1, 2, 3)

	// a page that was interrupted comes again
	for n := 6; ; n++ {
		got := w.await("user b", n)
		if got[n-1] != 6 {
			continue
		}

		slices.Sort(got)

		if got = slices.Compact(got); !slices.Equal(got, []int64{1, 2, 3, 4, 5, 6}) {
			t.Errorf("user b: %v", got)
		}

		break
	}

	if err := stop(); err != nil {
		t.Error(err)
	}
}

// Order holds whatever fails, and nothing is missing.
func TestRandomFailures(t *testing.T) {
	t.Parallel()
	w := newWorld(t)

	keys := []string{"user a", "user b", "user c", "rule r", "rule s"}
	n := 0
	w.set(func(string, int64) int {
		n++
		if n%3 != 0 {
			return http.StatusBadGateway
		}

		return http.StatusOK
	})
	stop := w.start(filepath.Join(t.TempDir(), "state"))

	for range 20 {
		w.add(keys...)
		time.Sleep(time.Millisecond)
	}

	want := make([]int64, 20)
	for i := range want {
		want[i] = int64(i + 1)
	}

	for _, key := range keys {
		w.want(key, want...)
	}

	if err := stop(); err != nil {
		t.Error(err)
	}
}

// After 410 Gone the endpoint gets nothing more.
func TestGone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.add("user a", "user a", "user a")
	w.set(func(string, int64) int { return http.StatusGone })
	stop := w.start(filepath.Join(t.TempDir(), "state"))

	for range 1000 {
		w.mu.Lock()
		asked := w.asked
		w.mu.Unlock()

		if asked > 0 {
			break
		}

		time.Sleep(5 * time.Millisecond)
	}

	time.Sleep(50 * time.Millisecond)

	if err := stop(); !errors.Is(err, errGone) || w.asked != 1 {
		t.Errorf("%d deliveries, then %v; want 1 and %v", w.asked, err, errGone)
	}
}

func TestSettings(t *testing.T) {
	t.Parallel()

	for _, s := range []struct{ url, secret string }{
		{"http://example.com/hook", secret},
		{"ftp://localhost/", secret},
		{"", secret},
		{"https://example.com/hook", ""},
		{"https://example.com/hook", "whsec_no base64"},
	} {
		if _, err := newEndpoint(s.url, s.secret); err == nil {
			t.Errorf("%v is accepted", s)
		}
	}
}

// What the cursor passes while a key is behind is left to the key's own feed, and what that has
// delivered ahead of the cursor is not delivered again.
func TestDue(t *testing.T) {
	t.Parallel()

	f := &forwarder{state: &state{Keys: map[string]*position{"user a": {Delivered: 3, Failing: true}}}}
	due := func(sequence int64) bool { return f.due(event{Key: "user a", Sequence: sequence}) }

	if due(4) {
		t.Error("an event of a key that is behind is due")
	}

	if f.caughtUp("user a", 3) {
		t.Error("the key has caught up without event 4")
	}

	if !f.caughtUp("user a", 6) {
		t.Error("the key has not caught up")
	}

	if due(5) || due(6) {
		t.Error("an event that was delivered is due")
	}

	if !due(7) || len(f.state.Keys) != 0 {
		t.Error("the key is not as others")
	}
}
