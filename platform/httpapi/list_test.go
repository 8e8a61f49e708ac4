package httpapi_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/prometheus/client_golang/prometheus"

	"tributary/platform/httpapi"
)

type numbersInput struct {
	httpapi.ListInput

	Owner string `query:"owner"`
	Even  string `query:"even"`
}

type numbersOutput struct{ Body httpapi.Page[int64] }

type number struct {
	Seq int64 `json:"seq"`
}

// numbers is a service with two lists of 20 numbers, whose cursors the secret seals.
func numbers(t *testing.T, service, secret string) *httptest.Server {
	t.Helper()

	api := httpapi.New(httpapi.Config{
		Service:      service,
		HealthPath:   "/health",
		Health:       httpapi.NewHealth(service),
		Logger:       slog.New(slog.DiscardHandler),
		Metrics:      prometheus.NewRegistry(),
		Now:          time.Now,
		CursorSecret: secret,
	})

	list := func(_ context.Context, in *numbersInput) (*numbersOutput, error) {
		from := number{Seq: 1_000_000}
		if err := in.After(in.Owner, &from); err != nil {
			return nil, err
		}

		var rows []int64
		for n := from.Seq + 1; n <= 1_000_020 && len(rows) <= in.Limit; n++ {
			rows = append(rows, n)
		}

		page := httpapi.NewPage(&in.ListInput, rows, func(n int64) number { return number{n} })

		return &numbersOutput{Body: page}, nil
	}
	huma.Get(api.Huma, "/numbers", list)
	huma.Get(api.Huma, "/others", list)

	server := httptest.NewServer(api.Router)
	t.Cleanup(server.Close)

	return server
}

type numberPage struct {
	Data       []int64 `json:"data"`
	HasMore    bool    `json:"has_more"`
	NextCursor string  `json:"next_cursor"`
	Code       string  `json:"code"`
}

func page(t *testing.T, url string) (status int, p numberPage) {
	t.Helper()

	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}

	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}

	defer func() { _ = answer.Body.Close() }()

	if err := json.NewDecoder(answer.Body).Decode(&p); err != nil {
		t.Fatal(err)
	}

	return answer.StatusCode, p
}

func TestFollowingCursorsShowsEachRowOnce(t *testing.T) {
	t.Parallel()

	// Replicas share the secret: each opens the cursors of the other.
	replicas := []*httptest.Server{numbers(t, "s", "secret"), numbers(t, "s", "secret")}
	want := int64(1_000_001)
	cursor := ""

	for i := range 4 {
		status, p := page(t, replicas[i%2].URL+"/numbers?even=&limit="+strconv.Itoa(4+i)+"&cursor="+cursor)
		if status != http.StatusOK {
			t.Fatalf("page %d: %d %s", i, status, p.Code)
		}

		for _, n := range p.Data {
			if n != want {
				t.Fatalf("page %d has %d, want %d", i, n, want)
			}

			want++
		}

		if p.HasMore != (i < 3) || (p.NextCursor == "") != (i == 3) {
			t.Fatalf("page %d: has_more %t, cursor %q", i, p.HasMore, p.NextCursor)
		}

		cursor = p.NextCursor
	}

	if want != 1_000_021 {
		t.Errorf("%d rows, want 20", want-1_000_001)
	}
}

func TestACursorIsBoundToItsQuestion(t *testing.T) {
	t.Parallel()

	server := numbers(t, "s", "secret")
	_, first := page(t, server.URL+"/numbers?limit=2&owner=a&even=no")
	cursor := first.NextCursor

	for name, url := range map[string]string{
		"other filter":  server.URL + "/numbers?owner=a&even=yes&cursor=" + cursor,
		"no filter":     server.URL + "/numbers?owner=a&cursor=" + cursor,
		"other owner":   server.URL + "/numbers?owner=b&even=no&cursor=" + cursor,
		"other list":    server.URL + "/others?owner=a&even=no&cursor=" + cursor,
		"other secret":  numbers(t, "s", "other").URL + "/numbers?owner=a&even=no&cursor=" + cursor,
		"other service": numbers(t, "t", "secret").URL + "/numbers?owner=a&even=no&cursor=" + cursor,
		"no secret":     numbers(t, "s", "").URL + "/numbers?owner=a&even=no&cursor=" + cursor,
		"cut":           server.URL + "/numbers?owner=a&even=no&cursor=" + cursor[1:],
		"changed":       server.URL + "/numbers?owner=a&even=no&cursor=" + strings.Repeat("A", len(cursor)),
		"in clear":      server.URL + "/numbers?owner=a&even=no&cursor=eyJzZXEiOjF9",
		"no base64":     server.URL + "/numbers?owner=a&even=no&cursor=!",
	} {
		if status, p := page(t, url); status != http.StatusBadRequest || p.Code != "cursor_invalid" {
			t.Errorf("%s: %d %s, want 400 cursor_invalid", name, status, p.Code)
		}
	}

	if status, p := page(t, server.URL+"/numbers?even=no&owner=a&limit=9&cursor="+cursor); status != http.StatusOK ||
		p.Data[0] != 1_000_003 {
		t.Errorf("the same question: %d %v", status, p)
	}
}

// A cursor reveals neither its position nor the length of the position.
func TestACursorTellsNothing(t *testing.T) {
	t.Parallel()

	server := numbers(t, "s", "secret")

	_, one := page(t, server.URL+"/numbers?limit=2")
	_, other := page(t, server.URL+"/numbers?limit=2")

	text, err := base64.RawURLEncoding.DecodeString(one.NextCursor)
	if err != nil {
		t.Fatal(err)
	}

	if strings.Contains(string(text), "1000002") || strings.Contains(string(text), "seq") {
		t.Errorf("the cursor holds its position: %q", text)
	}

	if one.NextCursor == other.NextCursor {
		t.Error("two cursors of one position are alike")
	}

	if len(text) != 12+32+16 {
		t.Errorf("the cursor has %d bytes: its length follows that of the position", len(text))
	}
}
