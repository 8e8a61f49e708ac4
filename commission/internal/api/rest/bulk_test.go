package rest_test

import (
	"slices"
	"strings"
	"testing"
)

// held publishes a rule under which everything that is earned waits, and has sales.
func (s service) held(t *testing.T) {
	t.Helper()

	s.token = tokenOf(t, "boss", "admin")
	s.call(t, "POST", "/rules", `{"name":"held","event_type":"purchase","hold_days":30,"priority":9,
		"effective_from":"2026-01-01T00:00:00Z","formula":{"kind":"percentage","rate":"0.1"}}`).want(t, 201)

	euros := purchase("e3", "v", "30")
	euros.Currency = "EUR"
	s.decide(t, purchase("e1", "u", "100"), purchase("e2", "v", "50"), euros)
}

func TestCommissionsAreApprovedInBulk(t *testing.T) {
	t.Parallel()
	s := secured(t)
	s.held(t)
	s.token = tokenOf(t, "op", "operator")

	const path = "/commissions/bulk"

	try := `{"action":"approve","filter":{"occurred_to":"2026-12-01T00:00:00Z"},"reason":"month","dry_run":true}`

	shown := s.call(t, "POST", path, try, "Idempotency-Key", "dry").want(t, 200)
	if shown.str("count") != "3" || shown.str("dry_run") != "true" ||
		shown.str("totals") != `[{"amount":"3.00","amount_minor":300,"currency":"EUR"},`+
			`{"amount":"15.00","amount_minor":1500,"currency":"USD"}]` {
		t.Errorf("shown: %s", shown.text)
	}

	if list := s.call(t, "GET", "/commissions?status=pending", ""); len(list.body["data"].([]any)) != 3 {
		t.Errorf("after a dry run: %s", list.text)
	}

	s.decide(t, purchase("later", "u", "70"))

	again := s.call(t, "POST", path, try, "Idempotency-Key", "dry").want(t, 200)
	if again.header.Get("Idempotency-Replayed") != "true" || again.str("token") != shown.str("token") {
		t.Errorf("the dry run again: %s", again.text)
	}

	run := strings.Replace(try, `"dry_run":true`, `"token":"`+shown.str("token")+`"`, 1)
	other := strings.Replace(run, "approve", "reject", 1)

	if a := s.call(t, "POST", path, other).want(t, 409); a.str("code") != "bulk_selection_changed" {
		t.Errorf("another action: %s", a.text)
	}

	done := s.call(t, "POST", path, run, "Idempotency-Key", "run").want(t, 200)
	if done.str("count") != "3" || done.str("totals") != shown.str("totals") ||
		done.str("token") != "" || done.str("dry_run") != "false" {
		t.Errorf("done: %s", done.text)
	}

	if list := s.call(t, "GET", "/commissions?status=pending", ""); list.str("data.0.event_id") != "later" ||
		list.str("data.1.id") != "" {
		t.Errorf("after the run: %s", list.text)
	}

	if a := s.call(t, "POST", path, run, "Idempotency-Key", "run").want(t, 200); a.text != done.text ||
		a.header.Get("Idempotency-Replayed") != "true" {
		t.Errorf("the run again, with its key: %s", a.text)
	}

	if a := s.call(t, "POST", path, run).want(t, 409); a.str("code") != "bulk_selection_changed" {
		t.Errorf("the run again, without a key: %s", a.text)
	}
}

func TestWhatIsNoActionInBulk(t *testing.T) {
	t.Parallel()
	s := secured(t)
	s.held(t)
	s.token = tokenOf(t, "op", "operator")

	token := "00000000-0000-0000-0000-000000000000." + strings.Repeat("A", 43)

	for body, want := range map[string]string{
		`{"filter":{},"reason":"r","dry_run":true}`:                                              "body.action",
		`{"action":"pay","filter":{},"reason":"r","dry_run":true}`:                               "body.action",
		`{"action":"hold","reason":"r","dry_run":true}`:                                          "body.filter",
		`{"action":"hold","filter":{"colour":"red"},"reason":"r","dry_run":true}`:                "body.filter.colour",
		`{"action":"hold","filter":{"status":"open"},"reason":"r","dry_run":true}`:               "body.filter.status",
		`{"action":"hold","filter":{"occurred_to":"soon"},"reason":"r","dry_run":true}`:          "body.filter.occurred_to",
		`{"action":"hold","filter":{},"dry_run":true}`:                                           "body.reason",
		`{"action":"hold","filter":{},"reason":" ","dry_run":true}`:                              "reason",
		`{"action":"hold","filter":{},"reason":"r"}`:                                             "token",
		`{"action":"hold","filter":{},"reason":"r","token":"x"}`:                                 "token",
		`{"action":"hold","filter":{},"reason":"r","token":"` + token + `","dry_run":true}`:      "token",
		`{"action":"hold","filter":{"user_id":"` + "\\u0007" + `"},"reason":"r","dry_run":true}`: "user_id",
	} {
		a := s.call(t, "POST", "/commissions/bulk", body)
		if a.status != 422 && a.status != 400 || !strings.HasSuffix(a.str("errors.0.field"), strings.TrimPrefix(want, "body.")) {
			t.Errorf("%s: %d %s", body, a.status, a.text)
		}
	}

	for _, role := range []string{"partner", "finance", "operator", "admin"} {
		s.token = tokenOf(t, "u", role) // who has earned: the role is what is tested

		code := s.call(t, "POST", "/commissions/bulk",
			`{"action":"hold","filter":{},"reason":"r","dry_run":true}`).str("code")
		if may := slices.Contains([]string{"operator", "admin"}, role); may != (code == "own_gain_refused") ||
			!may && code != "role_missing" {
			t.Errorf("%s: %s", role, code)
		}
	}
}
