package stacktest

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// Request is an HTTP request. Method defaults to GET without a body and POST with one; ContentType
// defaults to JSON.
type Request struct {
	Method, URL, ContentType, Body string
	Token                          string // bearer token, or ""
	Header                         map[string]string
}

// Answer is a response.
type Answer struct {
	Status int
	Header http.Header
	Body   string
	Took   time.Duration
}

const answerTimeout = 15 * time.Second

// Send sends the request. It returns an error only if there is no answer.
func Send(ctx context.Context, r Request) (Answer, error) {
	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()

	if r.Method == "" {
		r.Method = http.MethodGet
		if r.Body != "" {
			r.Method = http.MethodPost
		}
	}

	request, err := http.NewRequestWithContext(ctx, r.Method, r.URL, strings.NewReader(r.Body))
	if err != nil {
		return Answer{}, err
	}

	if r.ContentType == "" {
		r.ContentType = "application/json"
	}

	if r.Method == http.MethodPost {
		request.Header.Set("Content-Type", r.ContentType)
	}

	if r.Token != "" {
		request.Header.Set("Authorization", "Bearer "+r.Token)
	}

	for name, value := range r.Header {
		request.Header.Set(name, value)
	}

	start := time.Now() //nolint:forbidigo // observed from outside, so the real time

	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return Answer{}, err
	}

	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)

	return Answer{
		Status: response.StatusCode,
		Header: response.Header,
		Body:   string(body),
		Took:   time.Since(start),
	}, err
}

// Do sends the request and fails the test if there is no answer.
func Do(t *testing.T, r Request) Answer {
	t.Helper()

	answer, err := Send(t.Context(), r)
	if err != nil {
		t.Fatalf("%s %s: %v", r.Method, r.URL, err)
	}

	return answer
}

// Want sends the request, fails the test unless the answer has the status, and reads its JSON into
// v (nil: not read).
func Want(t *testing.T, status int, r Request, v any) Answer {
	t.Helper()

	answer := Do(t, r)
	if answer.Status != status {
		t.Fatalf("%s %s = %d %s, want %d", r.Method, r.URL, answer.Status, answer.Body, status)
	}

	if v != nil {
		answer.JSON(t, v)
	}

	return answer
}

// JSON reads the answer's body into v.
func (a Answer) JSON(t *testing.T, v any) {
	t.Helper()

	if err := json.Unmarshal([]byte(a.Body), v); err != nil {
		t.Fatalf("answer is no JSON of the expected form: %v in %s", err, a.Body)
	}
}

// Problem is a problem document.
type Problem struct {
	Type      string  `json:"type"`
	Title     string  `json:"title"`
	Status    int     `json:"status"`
	Detail    string  `json:"detail"`
	Instance  string  `json:"instance"`
	Code      string  `json:"code"`
	RequestID string  `json:"request_id"`
	Errors    []Fault `json:"errors"`
}

// Fault is an entry of a problem's errors.
type Fault struct {
	Field   string `json:"field"`
	Code    string `json:"code"`
	Message string `json:"message"`
}

// Problem reads the answer as a problem document and checks what all of them share.
func (a Answer) Problem(t *testing.T) Problem {
	t.Helper()

	if got := a.Header.Get("Content-Type"); got != "application/problem+json" {
		t.Fatalf(
			"answer %d has Content-Type %q, want a problem document; body %s",
			a.Status,
			got,
			a.Body,
		)
	}

	var p Problem
	a.JSON(t, &p)

	id := a.Header.Get("X-Request-ID")
	if id == "" || p.RequestID != id || p.Instance != "urn:tributary:request:"+id {
		t.Errorf(
			"problem's request_id and instance do not agree with X-Request-ID %q: %s",
			id,
			a.Body,
		)
	}

	if p.Status != a.Status || p.Title != http.StatusText(a.Status) ||
		p.Type != "/docs/errors#"+p.Code ||
		p.Detail == "" {
		t.Errorf("problem of an answer %d is not complete: %s", a.Status, a.Body)
	}

	return p
}

// Patience is for operations that need the broker just after it was killed: it may take two minutes
// until it stores again, and nothing is lost meanwhile.
const Patience = 4 * time.Minute

// Await calls check every 50 ms until it returns nil, and returns the time that took. It fails the
// test with check's last error.
func Await(
	t *testing.T,
	within time.Duration,
	what string,
	check func(context.Context) error,
) time.Duration {
	t.Helper()
	start := time.Now() //nolint:forbidigo // observed from outside, so the real time

	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()

	for {
		err := check(t.Context())

		took := time.Since(start)
		if err == nil {
			return took
		}

		if took > within {
			t.Fatalf("%s: not within %s: %v", what, within, err)
		}

		<-tick.C
	}
}
