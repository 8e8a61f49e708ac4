package rest_test

import (
	"encoding/base64"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"tributary/commission/internal/domain/event"
	"tributary/contracts/eventtype"
)

func TestListPagesWithoutGaps(t *testing.T) {
	t.Parallel()

	s := setup(t)
	for i := range 25 {
		s.decide(t, purchase(fmt.Sprintf("e%d", i), "u", "10"))
	}

	seen := map[string]bool{}

	cursor := ""
	for page := 0; ; page++ {
		a := s.call(
			t,
			"GET",
			"/commissions?limit=10&user_id=u&cursor="+url.QueryEscape(cursor),
			"",
		).want(t, 200)
		for _, row := range a.body["data"].([]any) {
			id := row.(map[string]any)["event_id"].(string)
			if seen[id] {
				t.Errorf("%s comes twice", id)
			}

			seen[id] = true
		}

		// new rows do not affect the pages
		s.decide(t, purchase(fmt.Sprintf("late%d", page), "u", "10"))

		cursor = a.str("next_cursor")
		if a.str("has_more") == "false" {
			break
		}
	}

	for i := range 25 {
		if !seen[fmt.Sprintf("e%d", i)] {
			t.Errorf("e%d is missing", i)
		}
	}
}

func TestFilters(t *testing.T) {
	t.Parallel()
	s := setup(t)
	p := purchase("e1", "u", "10")
	p.CampaignID = "camp"
	p.ProductID = "prod"
	p.Currency = "EUR"
	p.OccurredAt = start().Add(-48 * time.Hour)
	s.decide(
		t,
		p,
		purchase("e2", "v", "20"),
		event.Snapshot{ID: "r2", UserID: "v", Type: eventtype.Refund, OriginalID: "e2", Amount: "5"},
	)

	for query, want := range map[string]string{
		"user_id=u": "e1", "campaign_id=camp": "e1", "product_id=prod": "e1", "currency=EUR": "e1", "kind=clawback": "r2", "event_type=refund": "r2",
		"occurred_to=2026-11-22T12:00:00Z": "e1", "kind=earning&occurred_from=2026-11-23T00:00:00Z": "e2", "status=approved&kind=earning&user_id=v": "e2",
	} {
		a := s.call(t, "GET", "/commissions?"+query, "").want(t, 200)
		if rows := a.body["data"].([]any); len(rows) != 1 || a.str("data.0.event_id") != want {
			t.Errorf("%s: %s", query, a.text)
		}
	}

	if a := s.call(
		t,
		"GET",
		"/commissions?status=held",
		"",
	).want(t, 200); a.text != `{"data":[],"has_more":false}` {
		t.Errorf("nothing found: %s", a.text)
	}
}

func TestBadQueries(t *testing.T) {
	t.Parallel()

	s := setup(t)
	for query, code := range map[string]string{
		"limit=0": "validation_failed", "limit=1001": "validation_failed", "limit=x": "validation_failed", "status=paid": "validation_failed", "kind=x": "validation_failed",
		"occurred_from=yesterday": "validation_failed", "currency=usd": "validation_failed", "unknown=1": "validation_failed", "cursor=!": "cursor_invalid", "cursor=e30x": "cursor_invalid",
	} {
		if a := s.call(t, "GET", "/commissions?"+query, ""); a.status < 400 || a.status > 422 ||
			a.str("code") != code {
			t.Errorf("%s: %d %s", query, a.status, a.text)
		}
	}

	for _, query := range []string{"/commissions?user_id=x%00", "/commissions?campaign_id=x%ff", "/summary?product_id=x%07", "/payouts?user_id=x%00", "/balances/x%00"} {
		if a := s.call(
			t,
			"GET",
			query,
			"",
		).want(t, 422); a.str("errors.0.code") != "not_printable" {
			t.Errorf("%s: %s", query, a.text)
		}
	}

	for _, query := range []string{"/commissions?user_id=%20", "/summary?product_id=x%20", "/balances/%20x"} {
		a := s.call(t, "GET", query, "").want(t, 422)
		if a.str("errors.0.code") != "blank_at_end" {
			t.Errorf("%s: %s", query, a.text)
		}
	}

	for _, path := range []string{"/decisions/x%00", "/decisions/x%ff", "/decisions/x%00/explain", "/commissions/x%00", "/payouts/x%00"} {
		s.call(t, "GET", path, "").want(t, 404)
	}

	clear := base64.RawURLEncoding.EncodeToString([]byte(`{"at":"2026-01-01T00:00:00Z","id":"x"}`))

	a := s.call(t, "GET", "/payouts?cursor="+clear, "").want(t, 400)
	if a.str("code") != "cursor_invalid" {
		t.Errorf("a cursor in clear: %s", a.text)
	}

	s.call(t, "GET", "/commissions/nothing", "").want(t, 404)
	s.call(t, "GET", "/commissions/"+newID(), "").want(t, 404)
	s.call(t, "GET", "/decisions/nothing", "").want(t, 404)
}

func TestActionsFollowTheStateMachine(t *testing.T) {
	t.Parallel()
	s := setup(t)
	s.call(
		t,
		"POST",
		"/rules",
		`{"name":"held purchases","event_type":"purchase","user_id":"u","formula":{"kind":"percentage","rate":"0.1"},"hold_days":30,"effective_from":"2026-01-01T00:00:00Z"}`,
	).want(t, 201)
	s.decide(
		t,
		purchase("e1", "u", "100"),
		event.Snapshot{ID: "r1", UserID: "u", Type: eventtype.Refund, OriginalID: "e1", Amount: "30"},
	)
	id := s.call(t, "GET", "/commissions?kind=earning", "").str("data.0.id")
	reason := `{"reason":"looks odd"}`

	held := s.call(t, "POST", "/commissions/"+id+"/hold", reason, "If-Match", `"1"`).want(t, 200)
	if held.str("status") != "held" || held.header.Get("ETag") != `"2"` ||
		held.str("reason") != "looks odd" {
		t.Errorf("hold: %s %s", held.text, held.header)
	}

	if a := s.call(
		t,
		"POST",
		"/commissions/"+id+"/approve",
		reason,
	).want(t, 409); a.str("code") != "transition_refused" {
		t.Errorf("approve of a held one: %s", a.text)
	}

	if a := s.call(
		t,
		"POST",
		"/commissions/"+id+"/release",
		reason,
		"If-Match",
		`"1"`,
	).want(t, 412); a.str("code") != "version_mismatch" {
		t.Errorf("old version: %s", a.text)
	}

	s.call(t, "POST", "/commissions/"+id+"/release", reason, "If-Match", `"2"`).want(t, 200)
	s.call(t, "POST", "/commissions/"+id+"/approve", reason).want(t, 200)

	b := s.call(t, "GET", "/balances/u", "").want(t, 200)
	if b.str("balances.0.available_minor") != "700" || b.str("balances.0.pending_minor") != "0" {
		t.Errorf("balance: %s", b.text)
	}

	s.call(t, "POST", "/commissions/"+id+"/reject", reason).want(t, 409)

	clawback := s.call(t, "GET", "/commissions?kind=clawback", "")
	if clawback.str("data.0.status") != "approved" {
		t.Errorf("clawback: %s", clawback.text)
	}

	s.call(t, "POST", "/commissions/"+clawback.str("data.0.id")+"/reject", reason).want(t, 409)
	s.call(t, "POST", "/commissions/"+id+"/hold", `{"reason":""}`).want(t, 422)
	s.call(t, "POST", "/commissions/"+id+"/hold", `{}`).want(t, 422)
	s.call(t, "POST", "/commissions/"+newID()+"/hold", reason).want(t, 404)
}

func TestRejectTakesTheClawbacksAlong(t *testing.T) {
	t.Parallel()
	s := setup(t)
	s.call(
		t,
		"POST",
		"/rules",
		`{"name":"held","event_type":"purchase","user_id":"u","formula":{"kind":"percentage","rate":0.1},"hold_days":30,"effective_from":"2026-01-01T00:00:00Z"}`,
	).want(t, 201)
	s.decide(
		t,
		purchase("e1", "u", "100"),
		event.Snapshot{ID: "r1", UserID: "u", Type: eventtype.Refund, OriginalID: "e1", Amount: "30"},
	)
	id := s.call(t, "GET", "/commissions?kind=earning", "").str("data.0.id")
	s.call(t, "POST", "/commissions/"+id+"/reject", `{"reason":"fraud"}`).want(t, 200)

	if a := s.call(t, "GET", "/commissions?status=rejected", ""); len(a.body["data"].([]any)) != 2 {
		t.Errorf("rejected: %s", a.text)
	}

	if b := s.call(t, "GET", "/balances/u", ""); b.str("balances.0.pending_minor") != "0" ||
		b.str("balances.0.available_minor") != "0" {
		t.Errorf("balance: %s", b.text)
	}

	s.decide(t, event.Snapshot{ID: "r2", UserID: "u", Type: eventtype.Refund, OriginalID: "e1"})

	if d := s.call(t, "GET", "/decisions/r2", ""); d.str("reason_code") != "original_rejected" {
		t.Errorf("a refund afterwards: %s", d.text)
	}
}

func TestAdjustmentsOnceForAKey(t *testing.T) {
	t.Parallel()
	s := setup(t)
	body := `{"user_id":"u","amount":-12.5,"currency":"USD","reason":"paid twice"}`
	first := s.call(t, "POST", "/adjustments", body, "Idempotency-Key", "k1").want(t, 201)

	body = strings.Replace(body, "-12.5", `"-12.50"`, 1)

	again := s.call(t, "POST", "/adjustments", body, "Idempotency-Key", "k1").want(t, 201)
	if first.text != again.text || again.header.Get("Idempotency-Replayed") != "true" ||
		first.header.Get("Idempotency-Replayed") != "" {
		t.Errorf("again: %s instead of %s", again.text, first.text)
	}

	other := `{"user_id":"u","amount":"-12.51","currency":"USD","reason":"paid twice"}`
	if a := s.call(
		t,
		"POST",
		"/adjustments",
		other,
		"Idempotency-Key",
		"k1",
	).want(t, 422); a.str("code") != "idempotency_key_reused" {
		t.Errorf("other body: %s", a.text)
	}

	if b := s.call(t, "GET", "/balances/u", ""); b.str("balances.0.available") != "-12.50" {
		t.Errorf("balance: %s", b.text)
	}

	for _, bad := range []string{
		`{"user_id":"u","amount":0,"currency":"USD","reason":"x"}`, `{"user_id":"u","amount":1.001,"currency":"USD","reason":"x"}`, `{"user_id":"u","amount":1,"currency":"XXX","reason":"x"}`,
		`{"user_id":"u","amount":true,"currency":"USD","reason":"x"}`, `{"user_id":"","amount":1,"currency":"USD","reason":"x"}`, `{"user_id":" ","amount":1,"currency":"USD","reason":"x"}`,
		`{"user_id":"u ","amount":1,"currency":"USD","reason":"x"}`, `{"user_id":"u","campaign_id":" c","amount":1,"currency":"USD","reason":"x"}`, `{"user_id":"u","amount":1,"currency":"USD","reason":" "}`,
		`{"user_id":"u","amount":"NaN","currency":"USD","reason":"x"}`, `{"amount":1,"currency":"USD","reason":"x"}`, `{"user_id":"u","amount":1,"currency":"USD","reason":"x","more":1}`, `{"user_id":"u","amount":null,"currency":"USD","reason":"x"}`,
	} {
		if a := s.call(
			t,
			"POST",
			"/adjustments",
			bad,
		); a.status != 422 || a.str("code") != "validation_failed" ||
			a.str("errors.0.field") == "" {
			t.Errorf("%s: %d %s", bad, a.status, a.text)
		}
	}
}
