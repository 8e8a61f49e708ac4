package rest_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"tributary/platform/auth/authtest"
)

// noted returns the audit rows written since *last, and updates *last.
func (s service) noted(t *testing.T, last *int64) []string {
	t.Helper()

	rows, err := s.db.Pool.Query(t.Context(), `SELECT id, concat_ws('|', actor, action,
    subject_type, subject_id, reason, before, after, request_id, at = $2) FROM audit
    WHERE id > $1 ORDER BY id`, *last, time.UnixMicro(s.now.Load()))
	if err != nil {
		t.Fatal(err)
	}

	var (
		list []string
		text string
	)
	if _, err := pgx.ForEachRow(rows, []any{last, &text}, func() error {
		list = append(list, text)
		return nil
	}); err != nil {
		t.Fatal(err)
	}

	return list
}

// Every change by an operator leaves exactly one row with the actor, the action, the reason, the
// states before and after, and the request; a refused or repeated change leaves none.
func TestEveryChangeIsAudited(t *testing.T) {
	t.Parallel()
	s := secured(t)
	claims := authtest.Claims(time.Now(), "boss")
	claims["roles"] = []string{"operator", "admin"}
	s.token = authtest.HS256(t, authtest.Secret, claims)

	var last int64

	rule := s.call(
		t,
		"POST",
		"/rules",
		`{"name":"held","event_type":"purchase","user_id":"u","formula":{"kind":"percentage","rate":"0.1"},"hold_days":30,"effective_from":"2026-01-01T00:00:00Z"}`,
		"X-Request-ID",
		"r0",
	).want(t, 201).str("rule_id")
	if got, want := s.noted(
		t,
		&last,
	), "boss|publish|rule|"+rule+`|published||{"version":1}|r0|t`; len(got) != 1 ||
		got[0] != want {
		t.Errorf("publish: %q, want %q", got, want)
	}

	s.decide(t, purchase("e1", "u", "100"), purchase("e2", "u", "100"), purchase("e3", "v", "100"))
	e1, e2 := s.call(t, "GET", "/decisions/e1", "").str("commission_id"), s.call(t, "GET", "/decisions/e2", "").str("commission_id")

	var payouts [3]string
	for i := range payouts {
		payouts[i] = newID()
		if _, err := s.payouts.Handle(t.Context(), request(payouts[i], "v", 100)); err != nil {
			t.Fatal(err)
		}
	}

	moved := func(from, to string, version, minor int, more ...string) string {
		text := `{"status":%q,"version":%d,"amount_minor":%d,"currency":"USD"`
		before := fmt.Sprintf(text+"}", from, version, minor)

		return before + "|" + fmt.Sprintf(text, to, version+1, minor) + strings.Join(more, "") + "}"
	}
	for i, tt := range []struct{ path, action, subject, change string }{
		{"/commissions/" + e1 + "/hold", "hold", "commission|" + e1, moved("pending", "held", 1, 1000)},
		{"/commissions/" + e1 + "/release", "release", "commission|" + e1, moved("held", "pending", 2, 1000)},
		{"/commissions/" + e1 + "/approve", "approve", "commission|" + e1, moved("pending", "approved", 3, 1000)},
		{"/commissions/" + e2 + "/reject", "reject", "commission|" + e2, moved("pending", "rejected", 1, 1000)},
		{"/payouts/" + payouts[0] + "/complete", "completed", "payout|" + payouts[0], moved("requested", "completed", 1, 100, `,"paid_at":"2026-11-23T12:00:00Z"`)},
		{"/payouts/" + payouts[1] + "/fail", "failed", "payout|" + payouts[1], moved("requested", "failed", 1, 100, `,"failure_code":"other"`)},
		{"/payouts/" + payouts[2] + "/cancel", "cancelled", "payout|" + payouts[2], moved("requested", "cancelled", 1, 100)},
		{"/rules/" + rule + "/retire", "retire", "rule|" + rule, `|{"retired_at":"2026-11-23T12:00:00Z"}`},
	} {
		body, id := fmt.Sprintf(`{"reason":"because %d"}`, i), fmt.Sprintf("request-%d", i)
		s.call(t, "POST", tt.path, body, "X-Request-ID", id, "Idempotency-Key", id).want(t, 200)

		if got, want := s.noted(t, &last), fmt.Sprintf(
			"boss|%s|%s|because %d|%s|%s|t",
			tt.action,
			tt.subject,
			i,
			tt.change,
			id,
		); len(got) != 1 ||
			got[0] != want {
			t.Errorf("%s: %q, want %q", tt.path, got, want)
		}

		s.call(t, "POST", tt.path, body, "Idempotency-Key", id).want(t, 200)
		s.call(t, "POST", tt.path, body).want(t, 409)

		if got := s.noted(t, &last); len(got) > 0 {
			t.Errorf("%s repeated and refused: %q", tt.path, got)
		}
	}

	made := s.call(
		t,
		"POST",
		"/adjustments",
		`{"user_id":"u","amount":"-3","currency":"USD","reason":"paid twice"}`,
		"X-Request-ID",
		"r9",
	).want(t, 201).str("id")
	if got, want := s.noted(
		t,
		&last,
	), "boss|adjust|commission|"+made+`|paid twice||{"status":"approved","version":1,"amount_minor":-300,"currency":"USD"}|r9|t`; len(got) != 1 ||
		got[0] != want {
		t.Errorf("adjust: %q, want %q", got, want)
	}
}

// A trial of a rule leaves every table unchanged.
func TestWhatIfWritesNothing(t *testing.T) {
	t.Parallel()
	s := setup(t)
	s.decide(t, purchase("e1", "u", "100"), purchase("e2", "v", "50"))

	rows, err := s.db.Pool.Query(
		t.Context(),
		`SELECT format('SELECT %L || '' '' || count(*) || '' '' || coalesce(md5(string_agg(t::text, '' '' ORDER BY t::text)), '''') FROM %I AS t', relname, relname)
		FROM pg_class WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace
		    AND has_table_privilege(oid, 'SELECT') ORDER BY relname`,
	)
	if err != nil {
		t.Fatal(err)
	}

	tables, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil || len(tables) < 10 {
		t.Fatalf("%d tables, %v", len(tables), err)
	}

	contents := func() (all string) {
		for _, sql := range tables {
			var text string
			if err := s.db.Pool.QueryRow(t.Context(), sql).Scan(&text); err != nil {
				t.Fatal(err)
			}

			all += text + "\n"
		}

		return all
	}
	before := contents()

	body := `{"days":30,"rule":{"name":"better","event_type":"purchase","user_id":"u","formula":{"kind":"percentage","rate":"0.2"}}}`
	if a := s.call(
		t,
		"POST",
		"/rules/what-if",
		body,
	).want(t, 200); a.str("users.0.difference") != "10.00" {
		t.Errorf("what if: %s", a.text)
	}

	s.call(
		t,
		"POST",
		"/rules/what-if",
		`{"days":30,"rule":{"name":"tie","event_type":"purchase","formula":{"kind":"percentage","rate":"0.2"}}}`,
	).want(t, 409)

	if after := contents(); after != before {
		t.Errorf("before:\n%safter:\n%s", before, after)
	}
}
