package rest_test

import (
	"net/http"
	"testing"
)

// No caller acts on its own money, whatever roles the token has.
func TestNoOneActsOnTheirOwnMoney(t *testing.T) {
	t.Parallel()
	s := secured(t)
	all := []string{"partner", "operator", "finance", "admin"}
	own, other := tokenOf(t, "u", all...), tokenOf(t, "boss", all...)

	s.decide(t, purchase("e1", "u", "100"), purchase("e2", "u", "100"), purchase("e3", "u", "100"))

	var payouts [3]string
	for i := range payouts {
		payouts[i] = newID()
		if _, err := s.payouts.Handle(t.Context(), request(payouts[i], "u", 100)); err != nil {
			t.Fatal(err)
		}
	}

	rule := `{"name":"mine","event_type":"sale","user_id":"u","formula":{"kind":"percentage","rate":"0.1"}}`

	s.token = other
	held := s.call(t, "POST", "/rules", `{"name":"held","event_type":"purchase","user_id":"u",`+
		`"formula":{"kind":"percentage","rate":"0.1"}}`).want(t, 201).str("rule_id")

	s.token = tokenOf(t, "u", "partner")
	id := s.call(t, "GET", "/commissions?limit=1", "").want(t, 200).str("data.0.id")

	for _, tc := range []struct {
		path, body string
		other      int // what another person is answered
	}{
		{"/adjustments", `{"user_id":"u","amount":"999999.00","currency":"USD","reason":"r"}`, 201},
		{"/adjustments", `{"user_id":"u","amount":"-1.00","currency":"USD","reason":"r"}`, 201},
		{"/commissions/" + id + "/approve", `{"reason":"r"}`, 409},
		{"/commissions/" + id + "/hold", `{"reason":"r"}`, 409},
		{"/commissions/" + id + "/release", `{"reason":"r"}`, 409},
		{"/commissions/" + id + "/reject", `{"reason":"r"}`, 409},
		{"/payouts/" + payouts[0] + "/complete", `{"reason":"r"}`, 200},
		{"/payouts/" + payouts[1] + "/fail", `{"reason":"r"}`, 200},
		{"/payouts/" + payouts[2] + "/cancel", `{"reason":"r"}`, 200},
		{"/rules", rule, 201},
		{"/rules/" + held + "/retire", `{"reason":"r"}`, 200},
	} {
		s.token = own

		a := s.call(t, "POST", tc.path, tc.body)
		if a.status != http.StatusForbidden || a.str("code") != "own_gain_refused" {
			t.Errorf("%s %s by u: %d %s", tc.path, tc.body, a.status, a.text)
		}

		s.token = other
		if a := s.call(t, "POST", tc.path, tc.body); a.status != tc.other {
			t.Errorf("%s by another: %d %s, want %d", tc.path, a.status, a.text, tc.other)
		}
	}
}
