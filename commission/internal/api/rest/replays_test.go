package rest_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
)

// clicks adds events of users c0 to c49 that earn nothing, as consumption would have stored them.
func (s service) clicks(t *testing.T, n int) {
	t.Helper()

	owner, err := pgx.Connect(t.Context(), s.db.OwnerURL)
	if err != nil {
		t.Fatal(err)
	}

	defer func() { _ = owner.Close(context.WithoutCancel(t.Context())) }()

	if _, err := owner.Exec(t.Context(), `
INSERT INTO decisions (event_id, user_id, event_type, occurred_at, received_at, decided_at,
    self_referral, outcome, reason, rules_revision)
SELECT 'click' || i, 'c' || i % 50, 'click', '2026-11-02', '2026-11-02', '2026-11-02', true,
    'not_commissioned', 'self_referral', 1 FROM generate_series(1, $1::int) AS i`, n); err != nil {
		t.Fatal(err)
	}
}

// A large replay is accepted, goes on by itself, and shows how far it has come. The same key leads
// to the same replay.
func TestALargeReplayGoesOnByItself(t *testing.T) {
	t.Parallel()
	s := setup(t)
	s.decide(t, purchase("e1", "u", "100"), purchase("e2", "v", "50"))
	s.clicks(t, 50_000)
	s.call(
		t,
		"POST",
		"/rules",
		`{"name":"better","event_type":"purchase","currency":"USD","priority":1,"formula":{"kind":"percentage","rate":"0.2"},"effective_from":"2026-01-01T00:00:00Z"}`,
	).want(t, 201)

	const asked = "{" + november + `,"reason":"agreed in March"}`

	first := s.call(t, "POST", "/replays", asked, "Idempotency-Key", "k").want(t, 202)
	path, _ := strings.CutPrefix(first.header.Get("Location"), "/api/v1/commission")

	if first.str("status") != "running" || first.str("users") != "0" ||
		first.str("total_users") != "" || path != "/replays/"+first.str("id") {
		t.Errorf("accepted: %s at %s", first.text, path)
	}

	again := s.call(t, "POST", "/replays", asked, "Idempotency-Key", "k").want(t, 202)
	if again.text != first.text || again.header.Get("Idempotency-Replayed") != "true" ||
		again.header.Get("Location") != first.header.Get("Location") {
		t.Errorf("the same key: %s", again.text)
	}

	if got := s.call(t, "GET", path, "").want(t, 200); got.str("status") != "running" {
		t.Errorf("before it goes on: %s", got.text)
	}

	s.replay.Work(t.Context())

	done := s.call(t, "GET", path, "").want(t, 200)
	for member, want := range map[string]string{
		"status": "completed", "total_users": "52", "users": "52", "total_events": "50002",
		"events": "50002", "difference_count": "2", "totals.0.difference": "15.00",
		"reason": "agreed in March", "requested_by": "anonymous", "failure": "",
	} {
		if got := done.str(member); got != want {
			t.Errorf("%s is %q, want %q", member, got, want)
		}
	}

	page := s.call(t, "GET", path+"/differences?limit=1", "").want(t, 200)
	next := s.call(
		t, "GET", path+"/differences?limit=1&cursor="+page.str("next_cursor"), "",
	).want(t, 200)

	if page.str("data.0.event_id") != "e1" || next.str("data.0.event_id") != "e2" ||
		next.str("has_more") != "false" {
		t.Errorf("differences: %s %s", page.text, next.text)
	}

	if again := s.call(t, "POST", "/replays", asked, "Idempotency-Key", "k").want(t, 202); again.text !=
		first.text {
		t.Errorf("the same key, when it is completed: %s", again.text)
	}

	s.call(t, "POST", path+"/cancel", `{"reason":"too late"}`).want(t, 409)
}

func TestReplaysAreListedAndCancelled(t *testing.T) {
	t.Parallel()
	s := setup(t)
	s.clicks(t, 50_001)

	small := s.call(
		t,
		"POST",
		"/replays",
		`{"from":"2026-10-01T00:00:00Z","to":"2026-11-01T00:00:00Z","dry_run":true}`,
		"Idempotency-Key", "k",
	).want(t, 200)
	again := s.call(
		t,
		"POST",
		"/replays",
		`{"from":"2026-10-01T00:00:00Z","to":"2026-11-01T00:00:00Z","dry_run":true}`,
		"Idempotency-Key", "k",
	).want(t, 200)

	if again.text != small.text || again.header.Get("Idempotency-Replayed") != "true" ||
		again.header.Get("Location") != small.header.Get("Location") {
		t.Errorf("the same key: %s, then %s", small.text, again.text)
	}

	id := s.call(t, "POST", "/replays", "{"+november+"}").want(t, 202).str("id")
	if got := s.call(t, "POST", "/replays/"+id+"/cancel", `{"reason":"wrong period"}`).
		want(t, 200); got.str("status") != "cancelled" || got.str("ended_at") == "" {
		t.Errorf("cancelled: %s", got.text)
	}

	s.replay.Work(t.Context())

	list := s.call(t, "GET", "/replays", "").want(t, 200)
	text, _ := json.Marshal(list.body["data"])

	if list.str("data.0.id") != id || list.str("data.0.users") != "0" ||
		list.str("data.1.status") != "completed" || list.str("data.1.dry_run") != "true" ||
		list.str("data.2") != "" {
		t.Errorf("listed: %s", text)
	}

	for _, unknown := range []string{"/replays/x", "/replays/00000000-0000-7000-8000-000000000000"} {
		s.call(t, "GET", unknown, "").want(t, 404)
		s.call(t, "GET", unknown+"/differences", "").want(t, 404)
		s.call(t, "POST", unknown+"/cancel", `{"reason":"r"}`).want(t, 404)
	}

	p := secured(t)
	p.token = tokenOf(t, "u", "partner")

	for _, path := range []string{"/replays", "/replays/" + id, "/replays/" + id + "/differences"} {
		p.call(t, "GET", path, "").want(t, 403)
	}

	p.token = tokenOf(t, "o", "operator")
	p.call(t, "POST", "/replays/"+id+"/cancel", `{"reason":"r"}`).want(t, 403)
	p.call(t, "GET", "/replays", "").want(t, 200)
}
