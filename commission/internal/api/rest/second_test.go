package rest_test

import "testing"

// An adjustment above the limit moves nothing that can be paid until a second person approves it.
func TestALargeAdjustmentNeedsASecondPerson(t *testing.T) {
	t.Parallel()
	s := secured(t)
	maker, second := tokenOf(t, "maker", "operator"), tokenOf(t, "second", "operator")

	balance := func() string {
		b := s.call(t, "GET", "/balances/u", "").want(t, 200)
		return b.str("balances.0.pending_minor") + "/" + b.str("balances.0.available_minor")
	}
	adjust := func(amount string) string {
		s.token = maker

		return s.call(t, "POST", "/adjustments", `{"user_id":"u","amount":"`+amount+
			`","currency":"USD","reason":"campaign bonus"}`).want(t, 201).str("id")
	}
	act := func(token, id, action string, status int) answer {
		s.token = token
		return s.call(t, "POST", "/commissions/"+id+"/"+action, `{"reason":"checked"}`).want(t, status)
	}

	adjust("999999.00")

	if got := balance(); got != "0/99999900" {
		t.Errorf("at the limit: %s", got)
	}

	given := adjust("999999.01")
	taken := adjust("-999999.01")

	if got := balance(); got != "0/99999900" {
		t.Errorf("above the limit, before anyone else: %s", got)
	}

	if a := act(maker, given, "approve", 403); a.str("code") != "second_person_required" {
		t.Errorf("the maker approves: %s", a.text)
	}

	act(second, taken, "reject", 200)
	act(second, given, "hold", 409)

	if a := act(second, given, "approve", 200); a.str("status") != "approved" {
		t.Errorf("a second person approves: %s", a.text)
	}

	if got := balance(); got != "0/199999801" {
		t.Errorf("after the approval: %s", got)
	}

	act(second, given, "reject", 409)

	// Who made it may withdraw it.
	act(maker, adjust("5000000"), "reject", 200)

	// A deduction waits, too, although nothing is pending that it could be taken from.
	for _, c := range []struct{ action, after string }{
		{"reject", "0/199999801"},
		{"approve", "0/99999900"},
	} {
		deducted := adjust("-999999.01")

		if got := balance(); got != "-99999901/199999801" {
			t.Errorf("a deduction waits: %s", got)
		}

		act(second, deducted, c.action, 200)

		if got := balance(); got != c.after {
			t.Errorf("after %s of a deduction: %s, want %s", c.action, got, c.after)
		}
	}
}
