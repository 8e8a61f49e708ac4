package main

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/jackc/pgx/v5/pgxpool"

	"tributary/migrations"
	"tributary/migrations/migrationstest"
	"tributary/platform/auth"
	"tributary/platform/auth/authtest"
	"tributary/platform/httpapi"
	"tributary/platform/idempotency"
	"tributary/platform/ids"
	"tributary/platform/postgres"
	"tributary/platform/service"
	"tributary/platform/telemetry"
	"tributary/tracking/internal/api/rest"
	"tributary/tracking/internal/application/command"
	"tributary/tracking/internal/application/ingest"
	"tributary/tracking/internal/application/query"
	store "tributary/tracking/internal/infrastructure/postgres"
)

// intake is the HTTP side of the service over a database of its own, with everything in between.
// ahead advances its clock.
type intake struct {
	url   string
	pool  *pgxpool.Pool
	keys  *store.Keys
	ahead atomic.Int64
}

func newIntake(t *testing.T) *intake {
	t.Helper()
	db := migrationstest.New(t, migrations.Tracking())

	writers, err := postgres.Open(t.Context(), postgres.Config{URL: db.URL, MaxConns: 2})
	if err != nil {
		t.Fatal(err)
	}

	t.Cleanup(writers.Close)
	in := &intake{pool: db.Pool, keys: store.NewKeys(db.Pool)}
	now := func() time.Time { return time.Now().Add(time.Duration(in.ahead.Load())) }
	logger := slog.New(slog.DiscardHandler)
	limits := ingest.DefaultLimits()
	limits.Writers = 2
	coalescer := ingest.NewCoalescer(limits, ingest.Dependencies{
		Store:     store.NewAppender(writers),
		Stored:    func() {},
		Committed: func(int, time.Duration) {},
		Logger:    logger,
		Now:       time.Now,
	})
	ctx, cancel := context.WithCancel(t.Context())

	var running sync.WaitGroup
	running.Go(func() { _ = coalescer.Run(ctx) })

	verifier, err := auth.New(
		t.Context(),
		auth.Config{
			Secret:            authtest.Secret,
			Algorithm:         "HS256",
			RequireValidation: true,
			Issuer:            "test-issuer",
			Audience:          "test-audience",
		},
		auth.Dependencies{Now: time.Now, Logger: logger},
	)
	if err != nil {
		t.Fatal(err)
	}

	api := about().API(service.HTTP{
		Logger:   logger,
		Metrics:  telemetry.Metrics(),
		Health:   httpapi.NewHealth("tracking"),
		Verifier: verifier,
	})
	rest.Register(
		api.Huma,
		command.New(coalescer, in.keys, ids.New("tracking:event"), now),
		query.New(store.NewLog(db.Pool)),
	)

	server := httptest.NewServer(api.Router)
	t.Cleanup(func() { server.Close(); cancel(); running.Wait() })
	in.url = server.URL + "/api/v1/tracking/events"

	return in
}

// rows returns the number of events.
func (in *intake) rows(t *testing.T) (n int) {
	t.Helper()

	if err := in.pool.QueryRow(t.Context(), `SELECT count(*) FROM events`).Scan(&n); err != nil {
		t.Fatal(err)
	}

	return n
}

// posting is a request. By default the Caller is "shop" and the Media JSON.
type posting struct{ path, caller, key, media, body string }

type answer struct {
	status   int
	replayed bool
	body     string
}

func (in *intake) post(t *testing.T, p posting) answer {
	t.Helper()

	if p.caller == "" {
		p.caller = "shop"
	}

	if p.media == "" {
		p.media = "application/json"
	}

	r, err := http.NewRequestWithContext(
		t.Context(),
		http.MethodPost,
		in.url+p.path,
		strings.NewReader(p.body),
	)
	if err != nil {
		t.Fatal(err)
	}

	claims := authtest.Claims(time.Now(), p.caller)
	claims["roles"] = []string{"operator"}
	r.Header.Set("Authorization", "Bearer "+authtest.HS256(t, authtest.Secret, claims))
	r.Header.Set("Content-Type", p.media)

	if p.key != "" {
		r.Header.Set("Idempotency-Key", p.key)
	}

	got, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}

	defer func() { _ = got.Body.Close() }()

	text, err := io.ReadAll(got.Body)
	if err != nil {
		t.Fatal(err)
	}

	return answer{got.StatusCode, got.Header.Get("Idempotency-Replayed") == "true", string(text)}
}

// want posts a request and checks the answer: its status, whether it is replayed, and a part of its
// body.
func (in *intake) want(t *testing.T, p posting, status int, replayed bool, part string) answer {
	t.Helper()

	got := in.post(t, p)
	if got.status != status || got.replayed != replayed || !strings.Contains(got.body, part) {
		t.Errorf(
			"%+v: %d, replayed %t, %s; want %d, %t, %s",
			p,
			got.status,
			got.replayed,
			got.body,
			status,
			replayed,
			part,
		)
	}

	return got
}

const (
	viewOfA = `{"event_id": "a", "user_id": "u", "event_type": "view"}`
	viewOfB = `{"event_id": "b", "user_id": "u", "event_type": "view"}`
	view    = `{"user_id": "u", "event_type": "view"}`
	click   = `{"user_id": "u", "event_type": "click"}`
	reused  = `"idempotency_key_reused"`
)

func cloudOf(id string) string {
	return `{"specversion": "1.0", "id": "` + id + `", "source": "s", "type": "view", "subject": "u"}`
}

func TestAKeyIsForOneRequest(t *testing.T) {
	t.Parallel()
	in := newIntake(t)
	in.want(t, posting{key: "ids", body: viewOfA}, 201, false, `"recorded"`)
	in.want(t, posting{key: "ids", body: viewOfB}, 422, false, reused)
	in.want(t, posting{key: "ids", body: view}, 422, false, reused)
	in.want(t, posting{key: "ids", body: "{\n" + viewOfA[1:]}, 201, true, `"recorded"`)
	in.want(t, posting{key: "ids", path: "/batch", body: `{"events": []}`}, 422, false, reused)

	const cloud, clouds = "application/cloudevents+json", "application/cloudevents-batch+json"
	in.want(t, posting{key: "cloud", media: cloud, body: cloudOf("c1")}, 201, false, `"c1"`)
	in.want(t, posting{key: "cloud", media: cloud, body: cloudOf("c2")}, 422, false, reused)
	in.want(
		t,
		posting{key: "clouds", media: clouds, path: "/batch", body: "[" + cloudOf("c3") + "]"},
		200,
		false,
		`"c3"`,
	)
	in.want(
		t,
		posting{key: "clouds", media: clouds, path: "/batch", body: "[" + cloudOf("c4") + "]"},
		422,
		false,
		reused,
	)

	in.want(
		t,
		posting{key: "batch", path: "/batch", body: `{"events": [` + view + `]}`},
		200,
		false,
		`"recorded"`,
	)
	in.want(
		t,
		posting{key: "batch", path: "/batch", body: `{"events": [` + view + `,` + click + `]}`},
		422,
		false,
		reused,
	)
	in.want(
		t,
		posting{key: "batch", path: "/batch", body: `{"events": [{"user_id": "u"}]}`},
		422,
		false,
		reused,
	)

	if n := in.rows(t); n != 4 {
		t.Errorf("%d events are recorded, want those of the four first requests", n)
	}
}

func TestAKeyGetsItsFirstAnswerAgain(t *testing.T) {
	t.Parallel()
	in := newIntake(t)
	ahead := time.Now().Add(6 * time.Minute).UTC().Format(time.RFC3339)
	in.want(t, posting{body: viewOfA}, 201, false, `"recorded"`)

	conflicting := strings.Replace(viewOfA, `"u"`, `"v"`, 1)
	for _, c := range []struct {
		posting

		status int
		part   string
	}{
		{posting{key: "new", body: view}, 201, `"recorded"`},
		{posting{key: "known", body: viewOfA}, 200, `"duplicate"`},
		{posting{key: "conflict", body: conflicting}, 409, `"event_id_conflict"`},
		{posting{key: "twice", path: "/batch", body: `{"events": [` + viewOfB + `,` + viewOfB + `]}`}, 200, `"status":"recorded"},{"index":1,"event_id":"b","status":"duplicate"}`},
		{posting{key: "mixed", path: "/batch", body: `{"events": [` + viewOfA + `,` + view + `,` + conflicting + `,{"user_id": "u", "event_type": "view", "occurred_at": "` + ahead + `"}]}`}, 200, `"in_the_future"`},
		{posting{key: "bad", path: "/batch", body: `{"events": [{"user_id": "u"}]}`}, 200, `"rejected"`},
	} {
		in.ahead.Store(0)
		first := in.want(t, c.posting, c.status, false, c.part)
		in.ahead.Store(int64(time.Hour)) // so that answers which depend on the time would differ
		// a request without any valid event is not remembered
		stored := c.key != "bad"

		again := in.want(t, c.posting, c.status, stored, c.part)
		if c.status == http.StatusConflict {
			first.body, again.body = "", "" // each problem names its own request
		}

		if first.body != again.body {
			t.Errorf("%s: first %s\nagain %s", c.key, first.body, again.body)
		}
	}

	if n := in.rows(t); n != 4 {
		t.Errorf("%d events are recorded, want 4", n)
	}
}

func TestKeysBelongToACaller(t *testing.T) {
	t.Parallel()
	in := newIntake(t)
	one := in.want(t, posting{caller: "one", key: "k", body: view}, 201, false, `"recorded"`)
	other := in.want(t, posting{caller: "other", key: "k", body: view}, 201, false, `"recorded"`)
	in.want(t, posting{caller: "third", key: "k", body: click}, 201, false, `"recorded"`)

	if one.body == other.body || in.rows(t) != 3 {
		t.Errorf("%s and %s, %d events; want one for each caller", one.body, other.body, in.rows(t))
	}
}

func TestParallelRequestsWithOneKey(t *testing.T) {
	t.Parallel()

	for name, p := range map[string]posting{
		"one":           {key: "k", body: view},
		"one with id":   {key: "k", body: viewOfA},
		"many":          {key: "k", path: "/batch", body: `{"events": [` + view + `,` + viewOfA + `]}`},
		"many with ids": {key: "k", path: "/batch", body: `{"events": [` + viewOfB + `,` + viewOfA + `,` + viewOfB + `]}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in := newIntake(t)

			const requests = 20
			answers := make([]answer, requests)
			begin := make(chan struct{})

			var sending sync.WaitGroup
			for i := range requests {
				sending.Go(func() { <-begin; answers[i] = in.post(t, p) })
			}

			close(begin)
			sending.Wait()

			first := 0
			for _, a := range answers {
				if !a.replayed {
					first++
				}

				if a.status != answers[0].status || a.body != answers[0].body || a.status > 201 {
					t.Errorf(
						"%d %s and %d %s",
						a.status,
						a.body,
						answers[0].status,
						answers[0].body,
					)
				}
			}

			if want := strings.Count(p.body, "user_id") - strings.Count(p.body, viewOfB)/2; first != 1 ||
				in.rows(t) != want {
				t.Errorf(
					"%d of %d requests were the first, %d events are recorded; want 1 and %d",
					first,
					requests,
					in.rows(t),
					want,
				)
			}
		})
	}
}

// An event recorded with a key is found by its id after the key is deleted.
func TestForgottenKeys(t *testing.T) {
	t.Parallel()
	in := newIntake(t)
	first := in.want(t, posting{key: "k", body: view}, 201, false, `"recorded"`)
	in.want(t, posting{key: "l", body: viewOfA}, 201, false, `"recorded"`)
	forgetter := &idempotency.Forgetter{
		Keys:   in.keys,
		Now:    func() time.Time { return time.Now().Add(23 * time.Hour) },
		Logger: slog.New(slog.DiscardHandler),
	}
	forgetter.Forget(t.Context())
	in.want(t, posting{key: "l", body: viewOfA}, 201, true, `"recorded"`)
	forgetter.Now = func() time.Time { return time.Now().Add(25 * time.Hour) }
	forgetter.Forget(t.Context())

	if again := in.want(
		t,
		posting{key: "k", body: view},
		201,
		true,
		`"recorded"`,
	); again.body != first.body {
		t.Errorf("first %s, again %s", first.body, again.body)
	}

	forgetter.Forget(t.Context())
	in.want(t, posting{key: "k", body: click}, 422, false, reused)
	in.want(t, posting{key: "l", body: viewOfA}, 200, false, `"duplicate"`)

	if n := in.rows(t); n != 2 {
		t.Errorf("%d events are recorded, want 2", n)
	}
}

// Requests with and without keys share commits without affecting each other.
func TestKeysAmongOthers(t *testing.T) {
	t.Parallel()
	in := newIntake(t)

	var (
		sending            sync.WaitGroup
		recorded, replayed atomic.Int64
	)
	for i := range 60 {
		sending.Go(func() {
			p := posting{body: view}
			if i%3 > 0 {
				p.key = string(rune('a' + i/3))
			}

			a := in.post(t, p)
			if a.status != http.StatusCreated {
				t.Errorf("%+v: %+v", p, a)
			}

			if a.replayed {
				replayed.Add(1)
			} else {
				recorded.Add(1)
			}
		})
	}

	sending.Wait()

	if recorded.Load() != 40 || replayed.Load() != 20 || in.rows(t) != 40 {
		t.Errorf(
			"%d recorded, %d replayed, %d events; want 40, 20, 40",
			recorded.Load(),
			replayed.Load(),
			in.rows(t),
		)
	}
}

// Figures of the acceptance criteria: 3 invalid items and 50 duplicates among 1000, also with a key
// and repeated.
func TestABatchOfAThousand(t *testing.T) {
	t.Parallel()
	in := newIntake(t)
	body, want := aThousand()
	in.want(
		t,
		posting{
			path: "/batch",
			body: `{"events": [{"event_id": "e20", "user_id": "u", "event_type": "view"}]}`,
		},
		200,
		false,
		`"recorded"`,
	)
	want[20] = "duplicate"
	first := in.want(t, posting{path: "/batch", key: "k", body: body}, 200, false, "")

	var got struct {
		Results []struct {
			Index  int    `json:"index"`
			Status string `json:"status"`
		} `json:"results"`
	}
	if err := json.Unmarshal([]byte(first.body), &got); err != nil ||
		len(got.Results) != len(want) {
		t.Fatalf("%d results, %v", len(got.Results), err)
	}

	for i, r := range got.Results {
		if r.Index != i || r.Status != want[i] {
			t.Errorf("item %d: %d %s, want %s", i, r.Index, r.Status, want[i])
		}
	}

	if again := in.want(
		t,
		posting{path: "/batch", key: "k", body: body},
		200,
		true,
		"",
	); again.body != first.body {
		t.Error("the second answer is not the first")
	}

	if n := in.rows(t); n != 948 {
		t.Errorf("%d events are recorded, want 948", n)
	}
}

func aThousand() (body string, want []string) {
	var items []string
	for i := range 1000 {
		item, status := `{"event_id": "e`+strconv.Itoa(
			i,
		)+`", "user_id": "u", "event_type": "view"}`, "recorded"
		switch {
		case i == 10, i == 500:
			item, status = `{"user_id": "u"}`, "rejected"
		case i == 999:
			item, status = `{"event_id": "e1", "user_id": "other", "event_type": "view"}`, "rejected"
		case i >= 600 && i < 649:
			item, status = items[i-600+20], "duplicate"
		}

		items, want = append(items, item), append(want, status)
	}

	return `{"events": [` + strings.Join(items, ",") + `]}`, want
}
