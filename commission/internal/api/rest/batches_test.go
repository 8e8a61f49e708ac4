package rest_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
)

const wantedBatch = `{"currency":"USD","payment_method":"paypal","cutoff":"2026-11-23T13:00:00Z"}`

// requested returns the id of a new payout of 1.00 USD of the user.
func (s service) requested(t *testing.T, user string) string {
	t.Helper()
	s.decide(t, purchase("earned-by-"+user, user, "100"))

	id := newID()
	if _, err := s.payouts.Handle(t.Context(), request(id, user, 100)); err != nil {
		t.Fatal(err)
	}

	return id
}

func TestABatchThroughTheAPI(t *testing.T) {
	t.Parallel()
	s := secured(t)
	maker, second := tokenOf(t, "maker", "operator"), tokenOf(t, "second", "operator")
	finance := tokenOf(t, "finance", "finance")
	first, last := s.requested(t, "u"), s.requested(t, "v")

	as := func(token, method, path, body string, status int, headers ...string) answer {
		t.Helper()
		s.token = token

		return s.call(t, method, path, body, headers...).want(t, status)
	}

	made := as(maker, "POST", "/payout-batches", wantedBatch, 201, "Idempotency-Key", "k")
	again := as(maker, "POST", "/payout-batches", wantedBatch, 201, "Idempotency-Key", "k")
	id := made.str("id")

	if made.str("count") != "2" || made.str("total") != "2.00" || made.str("status") != "draft" ||
		made.str("created_by") != "maker" || made.str("limit") != "5000" ||
		made.header.Get("ETag") != `"1"` || again.str("id") != id {
		t.Errorf("made: %s", made.text)
	}

	if a := as(maker, "POST", "/payout-batches", wantedBatch, 409); a.str("code") != "batch_empty" {
		t.Errorf("a second one: %s", a.text)
	}

	rows := as(maker, "GET", "/payouts?batch_id="+id, "", 200)
	if len(rows.body["data"].([]any)) != 2 || rows.str("data.0.batch_id") != id {
		t.Errorf("its payouts: %s", rows.text)
	}

	act := "/payout-batches/" + id
	reason := `{"reason":"checked"}`

	if a := as(maker, "POST", act+"/approve", reason, 403); a.str("code") != "second_person_required" {
		t.Errorf("approved by its maker: %s", a.text)
	}

	as(second, "POST", act+"/approve", reason, 412, "If-Match", `"7"`)
	as(second, "POST", act+"/approve", `{"reason":" "}`, 422)
	as(second, "POST", act+"/approve", reason, 200, "If-Match", `"1"`)
	as(second, "POST", act+"/send", reason, 403)
	as(finance, "POST", act+"/send", reason, 200)
	as(second, "POST", act+"/cancel", reason, 403)

	paid := as(finance, "POST", "/payouts/"+first+"/complete", `{"reason":"bank","external_reference":"4711",
		"paid_at":"2026-11-23T00:00:00Z"}`, 200)
	if paid.str("external_reference") != "4711" || paid.str("paid_at") != "2026-11-23T00:00:00Z" {
		t.Errorf("paid: %s", paid.text)
	}

	failed := as(finance, "POST", "/payouts/"+last+"/fail",
		`{"reason":"bank","failure_code":"account_closed"}`, 200)
	if failed.str("failure_code") != "account_closed" || failed.str("paid_at") != "" {
		t.Errorf("failed: %s", failed.text)
	}

	if a := as(maker, "GET", act, "", 200); a.str("status") != "settled" || a.str("open_count") != "0" ||
		a.str("sent_by") != "finance" || a.str("approved_by") != "second" {
		t.Errorf("at last: %s", a.text)
	}

	if a := as(maker, "GET", "/payout-batches?status=settled", "", 200); a.str("data.0.id") != id {
		t.Errorf("list: %s", a.text)
	}
}

func TestWhoActsOnBatches(t *testing.T) {
	t.Parallel()
	s := secured(t)
	s.requested(t, "u")
	s.token = tokenOf(t, "maker", "operator")
	act := "/payout-batches/" + s.call(t, "POST", "/payout-batches", wantedBatch).want(t, 201).str("id")

	for role, may := range map[string]string{
		"partner":  "",
		"operator": "GET POST approve cancel",
		"finance":  "GET POST approve send cancel",
		"admin":    "GET POST approve send cancel",
	} {
		s.token = tokenOf(t, "u", role) // paid by the batch: the role is what is tested
		for _, c := range []struct{ name, method, path, body string }{
			{"GET", "GET", "/payout-batches", ""},
			{"GET", "GET", act, ""},
			{"POST", "POST", "/payout-batches", wantedBatch},
			{"approve", "POST", act + "/approve", `{"reason":"r"}`},
			{"send", "POST", act + "/send", `{"reason":"r"}`},
			{"cancel", "POST", act + "/cancel", `{"reason":"r"}`},
		} {
			a := s.call(t, c.method, c.path, c.body)
			if refused := a.str("code") == "role_missing"; refused == contains(may, c.name) {
				t.Errorf("%s, %s: %d %s", role, c.name, a.status, a.text)
			}
		}
	}
}

func contains(words, word string) bool {
	return slices.Contains(strings.Fields(words), word)
}

func TestBadBatches(t *testing.T) {
	t.Parallel()
	s := setup(t)

	for body, want := range map[string]string{
		`{"currency":"XXX","payment_method":"m","cutoff":"2026-11-23T13:00:00Z"}`:              "currency",
		`{"currency":"USD","payment_method":"","cutoff":"2026-11-23T13:00:00Z"}`:               "payment_method",
		`{"currency":"USD","payment_method":"m","cutoff":"tomorrow"}`:                          "cutoff",
		`{"currency":"USD","payment_method":"m"}`:                                              "cutoff",
		`{"currency":"USD","payment_method":"m","cutoff":"2026-11-23T13:00:00Z","limit":5001}`: "limit",
		`{"currency":"USD","payment_method":"m","cutoff":"2026-11-23T13:00:00Z","limit":-1}`:   "limit",
		`{"currency":"USD","payment_method":"m","cutoff":"2026-11-23T13:00:00Z","all":true}`:   "all",
	} {
		a := s.call(t, "POST", "/payout-batches", body)
		if a.status != http.StatusUnprocessableEntity || a.str("errors.0.field") != want {
			t.Errorf("%s: %d %s", body, a.status, a.text)
		}
	}

	s.call(t, "GET", "/payout-batches/"+newID(), "").want(t, 404)
	s.call(t, "POST", "/payout-batches/x/approve", `{"reason":"r"}`).want(t, 404)
	s.call(t, "GET", "/payouts?batch_id=x", "").want(t, 200)
}

// The faults of a closing come together.
func TestFaultsOfAClosing(t *testing.T) {
	t.Parallel()
	s := setup(t)
	id := s.requested(t, "u")

	s.call(t, "POST", "/payouts/"+id+"/cancel", `{"reason":"r","failure_code":"other"}`).want(t, 422)
	s.call(t, "POST", "/payouts/"+id+"/fail", `{"reason":"r","failure_code":"bad luck"}`).want(t, 422)

	a := s.call(t, "POST", "/payouts/"+id+"/complete",
		`{"reason":"r","external_reference":"a\u0007b","paid_at":"2027-01-01T00:00:00Z"}`).want(t, 422)
	if len(a.body["errors"].([]any)) != 2 {
		t.Errorf("%s", a.text)
	}
}
