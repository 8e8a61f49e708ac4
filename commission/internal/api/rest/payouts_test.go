package rest_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"tributary/commission/internal/domain/payout"
	"tributary/platform/auth/authtest"
	"tributary/platform/money"
)

func request(id, user string, minor int64) payout.Wanted {
	return payout.Wanted{
		ID:          id,
		UserID:      user,
		Amount:      money.FromMinor(minor, money.USD()),
		Method:      "paypal",
		Details:     `{"email":"u@example.com"}`,
		RequestedAt: start(),
	}
}

// Fifty concurrent requests for a balance that covers one.
func TestPayoutsNeverOverdraw(t *testing.T) {
	t.Parallel()
	s := setup(t)
	s.decide(t, purchase("e1", "u", "100"))

	var (
		wg sync.WaitGroup
		mu sync.Mutex
	)

	counts := map[payout.Status]int{}
	for range 50 {
		wg.Go(func() {
			p, err := s.payouts.Handle(t.Context(), request(newID(), "u", 600))
			mu.Lock()
			defer mu.Unlock()

			if err != nil {
				t.Error(err)
			}

			counts[p.Status]++
		})
	}

	wg.Wait()

	if counts[payout.Requested] != 1 || counts[payout.Rejected] != 49 {
		t.Errorf("%v", counts)
	}

	if b := s.call(t, "GET", "/balances/u", ""); b.str("balances.0.available_minor") != "400" ||
		b.str("balances.0.in_payout_minor") != "600" {
		t.Errorf("balance: %s", b.text)
	}

	var sum int64
	if err := s.db.Pool.QueryRow(t.Context(), `SELECT sum(programme_minor + pending_minor +
    available_minor + in_payout_minor + paid_minor) FROM balances`).Scan(&sum); err != nil || sum != 0 {
		t.Errorf("the ledger sums to %d, %v", sum, err)
	}
}

func TestPayoutsAreClosedOnce(t *testing.T) {
	t.Parallel()
	s := setup(t)
	s.decide(t, purchase("e1", "u", "100"))

	ids := []string{newID(), newID(), newID()}
	for _, id := range ids {
		for range 2 { // a command takes effect once
			if p, err := s.payouts.Handle(t.Context(), request(id, "u", 300)); err != nil ||
				p.Status != payout.Requested {
				t.Fatalf("%v, %v", p, err)
			}
		}
	}

	reason := `{"reason":"bank run"}`
	for i, verb := range []string{"complete", "fail", "cancel"} {
		a := s.call(
			t,
			"POST",
			"/payouts/"+ids[i]+"/"+verb,
			reason,
			"Idempotency-Key",
			verb,
		).want(t, 200)
		s.call(t, "POST", "/payouts/"+ids[i]+"/"+verb, reason, "Idempotency-Key", verb).want(t, 200)

		if b := s.call(
			t,
			"POST",
			"/payouts/"+ids[i]+"/complete",
			reason,
		).want(t, 409); b.str("code") != "transition_refused" {
			t.Errorf("%s twice: %s", verb, b.text)
		}

		if a.str("version") != "2" || a.str("closed_at") == "" {
			t.Errorf("%s: %s", verb, a.text)
		}
	}

	if b := s.call(
		t,
		"GET",
		"/balances/u",
		"",
	); b.str("balances.0.available_minor") != "700" || b.str("balances.0.paid_minor") != "300" ||
		b.str("balances.0.in_payout_minor") != "0" {
		t.Errorf("balance: %s", b.text)
	}

	first := s.call(t, "GET", "/payouts?limit=2", "").want(t, 200)

	second := s.call(t, "GET", "/payouts?limit=2&cursor="+first.str("next_cursor"), "").want(t, 200)
	if len(first.body["data"].([]any)) != 2 || len(second.body["data"].([]any)) != 1 ||
		second.str("has_more") != "false" {
		t.Errorf("pages: %s %s", first.text, second.text)
	}

	s.call(t, "GET", "/payouts/"+newID(), "").want(t, 404)
}

// Who asked twice for different things with one key reads which one was not acted on.
func TestAConflictIsRead(t *testing.T) {
	t.Parallel()
	s := setup(t)

	wanted := request(newID(), "u", 300)
	for minutes, hash := range []string{"1", "1", "2"} {
		wanted.RequestHash = strings.Repeat(hash, 64)
		wanted.RequestedAt = start().Add(time.Duration(minutes) * time.Minute)

		if _, err := s.payouts.Handle(t.Context(), wanted); err != nil {
			t.Fatal(err)
		}

		noted, etag := "<nil>", `"1"`
		if hash == "2" {
			noted = wanted.RequestedAt.Format(time.RFC3339)
			etag = `"2"`
		}

		a := s.call(t, "GET", "/payouts/"+wanted.ID, "").want(t, 200)
		if at := fmt.Sprint(a.body["conflicted_at"]); at != noted || a.header.Get("ETag") != etag {
			t.Errorf("request %d: conflicted at %s, version %s", minutes, at, a.header.Get("ETag"))
		}
	}
}

func TestPartnersSeeTheirOwn(t *testing.T) {
	t.Parallel()
	s := secured(t)
	s.decide(t, purchase("e1", "u", "100"), purchase("e2", "v", "100"))
	s.call(t, "GET", "/commissions", "").want(t, 401)
	s.token = authtest.HS256(t, authtest.Secret, authtest.Claims(time.Now(), "u"))

	a := s.call(t, "GET", "/commissions", "").want(t, 200)
	if rows := a.body["data"].([]any); len(rows) != 1 || a.str("data.0.user_id") != "u" {
		t.Errorf("own rows: %s", a.text)
	}

	if b := s.call(
		t,
		"GET",
		"/commissions?user_id=v",
		"",
	).want(t, 403); b.str("code") != "foreign_user" {
		t.Errorf("foreign rows: %s", b.text)
	}

	s.call(t, "GET", "/balances/v", "").want(t, 403)
	s.call(t, "GET", "/decisions/e2", "").want(t, 404)
	s.call(t, "GET", "/decisions/e1", "").want(t, 200)

	for _, path := range []string{"/adjustments", "/rules", "/commissions/" + newID() + "/approve", "/payouts/" + newID() + "/complete"} {
		if b := s.call(t, "POST", path, `{}`); b.status != 403 {
			t.Errorf("%s: %d %s", path, b.status, b.text)
		}
	}
}

// Account details are only for staff who request the single payout.
func TestOnlyOperatorsSeeWhereToPayTo(t *testing.T) {
	t.Parallel()
	s := secured(t)

	id := newID()
	if _, err := s.payouts.Handle(t.Context(), request(id, "u", 100)); err != nil {
		t.Fatal(err)
	}

	s.token = authtest.HS256(t, authtest.Secret, authtest.Claims(time.Now(), "u"))
	if a := s.call(t, "GET", "/payouts/"+id, "").want(t, 200); a.body["account_details"] != nil {
		t.Errorf("the partner: %s", a.text)
	}

	for role, want := range map[string]string{
		"operator": "",
		"finance":  "u@example.com",
		"admin":    "u@example.com",
	} {
		s.token = tokenOf(t, "boss", role)

		a := s.call(t, "GET", "/payouts/"+id, "").want(t, 200)
		if a.str("account_details.email") != want {
			t.Errorf("%s: %s", role, a.text)
		}
	}

	if a := s.call(t, "GET", "/payouts", "").want(t, 200); a.str("data.0.account_details") != "" {
		t.Errorf("the list: %s", a.text)
	}
}

// Finance closes payouts, an operator may only cancel them.
func TestWhoClosesPayouts(t *testing.T) {
	t.Parallel()

	for _, tc := range []struct {
		role, verb string
		want       int
	}{
		{"operator", "complete", 403},
		{"operator", "fail", 403},
		{"operator", "cancel", 200},
		{"finance", "complete", 200},
		{"finance", "fail", 200},
		{"finance", "cancel", 200},
		{"admin", "complete", 200},
		{"partner", "cancel", 403},
	} {
		s := secured(t)
		s.decide(t, purchase("e1", "u", "100"))

		id := newID()
		if _, err := s.payouts.Handle(t.Context(), request(id, "u", 100)); err != nil {
			t.Fatal(err)
		}

		s.token = tokenOf(t, "boss", tc.role)

		a := s.call(t, "POST", "/payouts/"+id+"/"+tc.verb, `{"reason":"checked"}`)
		if a.status != tc.want {
			t.Errorf("%s by %s: %d %s, want %d", tc.verb, tc.role, a.status, a.text, tc.want)
		}
	}
}
