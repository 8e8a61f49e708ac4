package rest_test

import (
	"testing"
	"time"

	"tributary/commission/internal/api/wire"
	"tributary/commission/internal/domain/event"
	"tributary/contracts/eventtype"
	"tributary/platform/strictjson"
)

func TestExplanationsCanBeComputedAgain(t *testing.T) {
	t.Parallel()
	s := setup(t)
	s.call(
		t,
		"POST",
		"/rules",
		`{"name":"tiers","event_type":"sale","currency":"USD","formula":{"kind":"graduated","period":"month","tiers":[{"from":0,"rate":"0.05"},{"from":100,"rate":"0.1"}]},"cap":{"amount":"12","period":"lifetime"},"effective_from":"2026-01-01T00:00:00Z","priority":5}`,
	).want(t, 201)
	sale := func(id, amount string) event.Snapshot {
		return event.Snapshot{ID: id, UserID: "u", Type: eventtype.Sale, Amount: amount, OrderID: "o" + id}
	}
	s.decide(
		t,
		sale("s1", "80.01"),
		sale("s2", "60.33"),
		sale("s3", "99.99"),
		sale("s4", "1"),
		purchase("p1", "u", "0.05"),
		event.Snapshot{ID: "d", UserID: "u", Type: eventtype.Sale, Amount: "5", OrderID: "os1"},
		event.Snapshot{ID: "r1", UserID: "u", Type: eventtype.Refund, OriginalID: "s2", Amount: "10.10"},
		event.Snapshot{ID: "r2", UserID: "u", Type: eventtype.Void, OrderID: "os2"},
		event.Snapshot{ID: "r3", UserID: "u", Type: eventtype.Void, OrderID: "os2"},
		event.Snapshot{ID: "r4", UserID: "u", Type: eventtype.Chargeback, OriginalID: "later"},
		event.Snapshot{
			ID:     "l",
			UserID: "u",
			Type:   eventtype.Lead,
		},
		event.Snapshot{ID: "v", UserID: "u", Type: eventtype.View},
		event.Snapshot{
			ID:       "c",
			UserID:   "u",
			Type:     eventtype.Click,
			Currency: "EUR",
		},
		event.Snapshot{ID: "self", UserID: "u", Type: eventtype.Sale, Amount: "5", SelfReferral: true},
	)

	for id, reason := range map[string]string{
		"s1": "rule_applied", "s2": "rule_applied", "s3": "rule_applied_at_cap", "s4": "cap_reached", "p1": "zero_commission", "d": "duplicate_order", "r1": "clawed_back", "r2": "clawed_back",
		"r3": "already_reversed", "r4": "original_unknown", "l": "no_rule", "v": "rule_applied", "c": "currency_mismatch", "self": "self_referral",
	} {
		a := s.call(t, "GET", "/decisions/"+id+"/explain", "").want(t, 200)
		if a.str("verified") != "true" || a.str("reason_code") != reason {
			t.Errorf("%s: %s", id, a.text)
		}

		var x wire.Explanation
		if err := strictjson.Unmarshal([]byte(a.text), &x); err != nil {
			t.Fatalf("%s: %v in %s", id, err, a.text)
		}

		if made, differences, err := x.Check(); err != nil || len(differences) > 0 {
			t.Errorf("%s: made again %+v, %v, %v from %s", id, made, differences, err, a.text)
		}

		x.Minor++
		if _, differences, _ := x.Check(); len(differences) == 0 {
			t.Errorf("%s: a changed amount is not noticed", id)
		}
	}

	a := s.call(
		t,
		"GET",
		"/commissions?user_id=u&event_type=sale&kind=earning&limit=1",
		"",
	).want(t, 200)

	x := s.call(t, "GET", "/commissions/"+a.str("data.0.id")+"/explain", "").want(t, 200)
	if x.str("steps.0.name") != "graduated" || x.str("considered.0.verdict") == "" {
		t.Errorf("steps: %s", x.text)
	}
}

// A refund is explained by what it reversed: before a replay the first decision, afterwards the
// replayed one.
func TestRefundsBeforeAndAfterAReplayAreExplained(t *testing.T) {
	t.Parallel()
	s := setup(t)
	refund := func(id, original, amount string) event.Snapshot {
		return event.Snapshot{
			ID:         id,
			UserID:     "u",
			Type:       eventtype.Refund,
			OriginalID: original,
			Amount:     amount,
		}
	}
	lead := event.Snapshot{ID: "l", UserID: "u", Type: eventtype.Lead, Amount: "100"}
	s.decide(t, purchase("p", "u", "100"), lead, refund("p1", "p", "30"), refund("l1", "l", "30"))

	for _, kind := range []string{"purchase", "lead"} {
		s.call(
			t,
			"POST",
			"/rules",
			`{"name":"better","event_type":"`+kind+`","currency":"USD","priority":1,"formula":{"kind":"graduated","period":"month","tiers":[{"from":0,"rate":"0.2"},{"from":50,"rate":"0.3"}]},"effective_from":"2026-01-01T00:00:00Z"}`,
		).want(t, 201)
	}

	s.call(
		t,
		"POST",
		"/replays",
		`{"from":"2026-11-01T00:00:00Z","to":"2026-12-01T00:00:00Z"}`,
	).want(t, 200)
	s.decide(
		t,
		refund("p2", "p", "30"),
		refund("l2", "l", "30"),
		refund("p3", "p", "40"),
		refund("l3", "l", ""),
	)

	for id, want := range map[string]string{ // of 100: 25.00, of 70: 16.00, of 40: 8.00
		"p": "10.00", "p1": "-3.00", "p2": "-8.00", "p3": "-8.00", "l1": "", "l2": "-8.00", "l3": "-8.00",
	} {
		a := s.call(t, "GET", "/decisions/"+id+"/explain", "").want(t, 200)

		var x wire.Explanation
		if err := strictjson.Unmarshal([]byte(a.text), &x); err != nil {
			t.Fatalf("%s: %v in %s", id, err, a.text)
		}

		if made, differences, err := x.Check(); err != nil || len(differences) > 0 ||
			a.str("verified") != "true" ||
			a.str("amount") != want {
			t.Errorf("%s: made again %+v, %v, %v from %s", id, made, differences, err, a.text)
		}
	}

	if b := s.call(t, "GET", "/balances/u", ""); b.str("balances.0.available") != "0.00" {
		t.Errorf("balance: %s", b.text)
	}
}

func TestSummaryKeepsDaysOfTheZone(t *testing.T) {
	t.Parallel()
	s := setup(t)
	at := func(id, when string) event.Snapshot {
		p := purchase(id, "u", "10")
		p.OccurredAt, _ = time.Parse(time.RFC3339, when)

		return p
	}
	// In Berlin the clocks go back at 03:00 on 25 October 2026: that day has 25 hours.
	s.decide(
		t,
		at("a", "2026-10-24T21:59:59Z"),
		at("b", "2026-10-24T22:00:00Z"),
		at("c", "2026-10-25T22:59:59Z"),
		at("d", "2026-10-25T23:00:00Z"),
	)

	a := s.call(t, "GET", "/summary?group_by=day&tz=Europe/Berlin", "").want(t, 200)
	if a.str("data.0.day") != "2026-10-24" || a.str("data.1.day") != "2026-10-25" ||
		a.str("data.1.count") != "2" ||
		a.str("data.1.amount") != "2.00" ||
		a.str("data.2.day") != "2026-10-26" {
		t.Errorf("days: %s", a.text)
	}

	if b := s.call(
		t,
		"GET",
		"/summary?group_by=user_id,status,event_type,campaign_id,currency",
		"",
	).want(t, 200); b.str("data.0.amount_minor") != "400" || b.str("data.0.campaign_id") != "" ||
		b.str("data.0.status") != "approved" {
		t.Errorf("all: %s", b.text)
	}

	for _, bad := range []string{"group_by=hour", "group_by=day,day", "tz=Mars/Olympus", "tz=Local", "cursor=x"} {
		if b := s.call(t, "GET", "/summary?"+bad, ""); b.status != 422 && b.status != 400 {
			t.Errorf("%s: %d %s", bad, b.status, b.text)
		}
	}
}

func TestReplayBooksDifferencesOnce(t *testing.T) {
	t.Parallel()
	s := setup(t)
	s.decide(
		t,
		purchase("e1", "u", "100"),
		purchase("e2", "u", "50"),
		purchase("e3", "v", "10"),
		event.Snapshot{ID: "r1", UserID: "u", Type: eventtype.Refund, OriginalID: "e1", Amount: "30"},
	)

	period := `"from":"2026-11-01T00:00:00Z","to":"2026-12-01T00:00:00Z"`
	if a := s.call(
		t,
		"POST",
		"/replays",
		"{"+period+`,"dry_run":true}`,
	).want(t, 200); a.str("events") != "4" || a.str("users") != "2" ||
		a.str("differences") != "[]" {
		t.Errorf("nothing has changed: %s", a.text)
	}

	try := s.call(
		t,
		"POST",
		"/rules/what-if",
		`{"days":30,"rule":{"name":"better","event_type":"purchase","user_id":"u","formula":{"kind":"percentage","rate":"0.2"}}}`,
	).want(t, 200)
	if try.str("users.0.difference") != "12.00" || try.str("users.1") != "" {
		t.Errorf("what if: %s", try.text)
	}

	s.call(
		t,
		"POST",
		"/rules",
		`{"name":"better","event_type":"purchase","user_id":"u","formula":{"kind":"percentage","rate":"0.2"},"effective_from":"2026-01-01T00:00:00Z"}`,
	).want(t, 201)

	first := s.call(t, "POST", "/replays", "{"+period+`,"dry_run":true}`).want(t, 200)
	if second := s.call(
		t,
		"POST",
		"/replays",
		"{"+period+`,"dry_run":true}`,
	); first.text != second.text || first.str("totals.0.difference") != "12.00" ||
		first.str("differences.0.difference") != "7.00" {
		t.Errorf("dry runs: %s %s", first.text, second.text)
	}

	if applied := s.call(
		t,
		"POST",
		"/replays",
		"{"+period+"}",
	).want(t, 200); applied.str("sha256") != first.str("sha256") {
		t.Errorf("applied: %s", applied.text)
	}

	if again := s.call(
		t,
		"POST",
		"/replays",
		"{"+period+"}",
	).want(t, 200); again.str("differences") != "[]" {
		t.Errorf("applied twice: %s", again.text)
	}

	if b := s.call(t, "GET", "/balances/u", ""); b.str("balances.0.available") != "24.00" {
		t.Errorf("balance: %s", b.text)
	}

	s.call(
		t,
		"POST",
		"/replays",
		`{"from":"2026-12-01T00:00:00Z","to":"2026-11-01T00:00:00Z"}`,
	).want(t, 422)
	s.call(t, "POST", "/replays", `{}`).want(t, 422)
}
