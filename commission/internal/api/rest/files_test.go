package rest_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"

	"tributary/commission/internal/domain/payout"
)

// account creates a payout with account details, sealed or plain, of 1.00 USD.
func (s service) account(t *testing.T, user, details string, sealed bool) string {
	t.Helper()
	s.decide(t, purchase("earned-by-"+user, user, "100"))

	wanted := request(newID(), user, 100)
	wanted.Details = details

	if sealed {
		text, err := ring(t).Seal([]byte(details), wanted.ID)
		if err != nil {
			t.Fatal(err)
		}

		quoted, err := json.Marshal(text)
		if err != nil {
			t.Fatal(err)
		}

		wanted.Details = string(quoted)
	}

	if p, err := s.payouts.Handle(t.Context(), wanted); err != nil || p.Status != payout.Requested {
		t.Fatalf("%+v, %v", p, err)
	}

	return wanted.ID
}

// filed is a service with a batch: by a maker, with an approver and one of finance.
type filed struct {
	service

	path string
}

func (f filed) as(t *testing.T, user, role, method, path, body string, status int) answer {
	t.Helper()
	f.token = tokenOf(t, user, role)

	return f.call(t, method, f.path+path, body).want(t, status)
}

func (f filed) file(t *testing.T, format string, status int) answer {
	t.Helper()
	return f.as(t, "finance", "finance", "GET", "/file?format="+format, "", status)
}

func (f filed) act(t *testing.T, role, action string, status int) answer {
	t.Helper()
	return f.as(t, "second-"+role, role, "POST", "/"+action, `{"reason":"checked"}`, status)
}

func (s service) filed(t *testing.T) filed {
	t.Helper()
	s.token = tokenOf(t, "maker", "operator")

	return filed{s, "/payout-batches/" + s.call(t, "POST", "/payout-batches", wantedBatch).want(t, 201).str("id")}
}

func TestAFileIsFixed(t *testing.T) {
	t.Parallel()
	s := secured(t)
	s.account(t, "u", `{"email":"u@example.com"}`, true)
	s.account(t, "v", `{"email":"v@example.com"}`, false)
	f := s.filed(t)

	if a := f.file(t, "paypal-csv", 409); a.str("code") != "batch_not_approved" {
		t.Errorf("a draft: %s", a.text)
	}

	f.act(t, "operator", "approve", 200)

	first := f.file(t, "paypal-csv", 200)
	s.now.Add(1_000_000)

	again := f.file(t, "paypal-csv", 200)
	digest := sha256.Sum256([]byte(first.text))
	encoded := base64.StdEncoding.EncodeToString(digest[:])

	if again.text != first.text || strings.Count(first.text, "\r\n") != 2 ||
		!strings.Contains(first.text, "u@example.com,1.00,USD,") {
		t.Errorf("%s, then %s", first.text, again.text)
	}

	if h := first.header; h.Get("Digest") != "sha-256="+encoded ||
		h.Get("Content-Digest") != "sha-256=:"+encoded+":" || h.Get("Payout-Count") != "2" ||
		h.Get("Payout-Total") != "2.00" || h.Get("Cache-Control") != "no-store" ||
		h.Get("Content-Type") != "application/octet-stream" ||
		!strings.Contains(h.Get("Content-Disposition"), ".csv") {
		t.Errorf("%v", h)
	}

	shown := f.as(t, "maker", "operator", "GET", "", "", 200)
	if shown.str("files.0.sha256") != hex.EncodeToString(digest[:]) ||
		shown.str("files.0.format") != "paypal-csv" || shown.str("version") != "3" {
		t.Errorf("%s", shown.text)
	}

	// what was sent is not made again in another format, which could be paid too
	if a := f.act(t, "operator", "cancel", 403); a.str("code") != "recall_refused" {
		t.Errorf("cancelled by an operator: %s", a.text)
	}

	f.act(t, "finance", "send", 200)

	if a := f.file(t, "paypal-csv", 200); a.text != first.text {
		t.Errorf("after it was sent: %s", a.text)
	}

	f.file(t, "csv", 409)
}

// Accounts are opened for finance only, and each opening is noted.
func TestOpeningAccountsIsAudited(t *testing.T) {
	t.Parallel()
	s := secured(t)
	id := s.account(t, "u", `{"email":"u@example.com"}`, true)
	f := s.filed(t)
	f.act(t, "operator", "approve", 200)

	var last int64

	s.noted(t, &last)
	f.as(t, "boss", "operator", "GET", "/file?format=csv", "", 403)
	f.as(t, "u", "finance", "GET", "/file?format=csv", "", 403)

	if got := s.noted(t, &last); len(got) > 0 {
		t.Errorf("refused: %q", got)
	}

	f.file(t, "paypal-csv", 200)
	f.file(t, "paypal-csv", 200)

	got := s.noted(t, &last)
	if len(got) != 2 || !strings.HasPrefix(got[0], "finance|open_accounts|payout_batch|") ||
		!strings.Contains(got[1], `"sha256":`) || strings.Contains(strings.Join(got, ""), "example.com") {
		t.Errorf("%q", got)
	}

	s.token = tokenOf(t, "finance", "finance")
	if a := s.call(t, "GET", "/payouts/"+id, "").want(t, 200); a.str("account_details.email") != "u@example.com" {
		t.Errorf("%s", a.text)
	}

	if got := s.noted(t, &last); len(got) != 1 || !strings.HasPrefix(got[0], "finance|open_account|payout|"+id) {
		t.Errorf("%q", got)
	}

	s.token = tokenOf(t, "boss", "operator")
	s.call(t, "GET", "/payouts/"+id, "").want(t, 200)

	if got := s.noted(t, &last); len(got) > 0 {
		t.Errorf("an operator: %q", got)
	}
}

// All faulty accounts of a draft are named at once, and none is repeated.
func TestFaultyAccountsAreNamed(t *testing.T) {
	t.Parallel()
	s := secured(t)
	good := s.account(t, "u", `{"email":"u@example.com"}`, true)
	bad := s.account(t, "v", `{"email":"secret address"}`, true)
	none := s.account(t, "w", `{"iban":"secret number"}`, false)
	lost := s.account(t, "x", `"eyJhbGciOiJkaXIifQ..x.y.z"`, false)
	long := s.account(t, "y", `{"email":"y@example.com","note":"`+strings.Repeat("z", 9000)+`"}`, false)
	f := s.filed(t)

	var last int64

	s.noted(t, &last)

	a := f.file(t, "paypal-csv", 422)
	for id, want := range map[string]string{
		bad:  ".account_details.email",
		none: ".account_details.email",
		lost: ".account_details",
		long: ".account_details",
	} {
		if !strings.Contains(a.text, `"payouts[`+id+`]`+want+`"`) {
			t.Errorf("%s is not named: %s", id, a.text)
		}
	}

	if len(a.body["errors"].([]any)) != 4 || strings.Contains(a.text, "secret") ||
		strings.Contains(a.text, good) || a.str("code") != "payout_accounts_invalid" {
		t.Errorf("%s", a.text)
	}

	if got := s.noted(t, &last); len(got) != 1 || !strings.Contains(got[0], `"refused":"payout_accounts_invalid"`) {
		t.Errorf("%q", got)
	}

	// what is faulty leaves the draft
	for _, id := range []string{bad, none, lost, long} {
		s.token = tokenOf(t, "finance", "finance")
		s.call(t, "POST", "/payouts/"+id+"/fail", `{"reason":"r","failure_code":"account_invalid"}`).want(t, 200)
	}

	f.file(t, "paypal-csv", 409)
	f.act(t, "operator", "approve", 200)
	f.file(t, "paypal-csv", 200)

	if a := f.file(t, "pain.001", 409); a.str("code") != "payment_format_unsuitable" {
		t.Errorf("SEPA in USD: %s", a.text)
	}

	if a := f.file(t, "excel", 422); a.str("errors.0.field") != "format" {
		t.Errorf("no such format: %s", a.text)
	}
}
