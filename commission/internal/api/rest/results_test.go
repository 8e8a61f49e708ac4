package rest_test

import (
	"fmt"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"tributary/commission/internal/api/rest"
	"tributary/commission/internal/domain/payout"
)

const resultsHeader = "reference,outcome,failure_code,reason,external_reference,paid_at\n"

// enter sends a result file as finance.
func (f filed) enter(t *testing.T, text string, headers ...string) answer {
	t.Helper()

	r := httptest.NewRequestWithContext(
		t.Context(),
		"POST",
		rest.Base+f.path+"/results",
		strings.NewReader(text),
	)
	r.Header.Set("Content-Type", "text/csv")
	r.Header.Set("Authorization", "Bearer "+tokenOf(t, "finance", "finance"))

	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}

	w := httptest.NewRecorder()
	f.handler.ServeHTTP(w, r)

	a := answer{status: w.Code, header: w.Header(), text: w.Body.String()}
	if err := json.Unmarshal(w.Body.Bytes(), &a.body); err != nil {
		t.Fatal(err)
	}

	return a
}

// sent returns a sent batch of n payouts with their ids, the oldest first, of the users u0 to
// u(n-1).
func (s service) sent(t *testing.T, n int) (filed, []string) {
	t.Helper()

	ids := make([]string, n)
	for i := range ids {
		ids[i] = s.account(t, fmt.Sprintf("u%d", i), `{"email":"u@example.com"}`, false)
	}

	f := s.filed(t)
	f.act(t, "operator", "approve", 200)
	f.act(t, "finance", "send", 200)

	return f, ids
}

// state is everything that a result file can change.
func (s service) state(t *testing.T) string {
	t.Helper()

	var text string
	if err := s.db.Pool.QueryRow(t.Context(), `SELECT concat_ws(E'\n',
    (SELECT string_agg(p::text, ' ' ORDER BY id) FROM payouts AS p),
    (SELECT string_agg(b::text, ' ' ORDER BY id) FROM payout_batches AS b),
    (SELECT string_agg(b::text, ' ' ORDER BY user_id) FROM balances AS b),
    (SELECT count(*) FROM ledger), (SELECT count(*) FROM audit))`).Scan(&text); err != nil {
		t.Fatal(err)
	}

	return text
}

func TestResultsSettleABatch(t *testing.T) {
	t.Parallel()
	s := secured(t)
	f, ids := s.sent(t, 4)

	first := resultsHeader +
		ids[0] + ",completed,,,4711,2026-11-23\n" +
		payout.ShortReference(ids[1]) + ",failed,account_closed,\"closed, says the bank\",4712,\n"
	last := "\xef\xbb\xbfoutcome,reference\r\ncompleted," + payout.Reference(ids[2]) +
		"\r\ncompleted," + strings.ToUpper(ids[3]) + "\r\n"

	if a := f.enter(t, first).want(t, 200); a.str("completed") != "1" || a.str("failed") != "1" ||
		a.str("batch.status") != "sent" || a.str("batch.open_count") != "2" {
		t.Errorf("first: %s", a.text)
	}

	var paid time.Time
	if err := s.db.Pool.QueryRow(t.Context(), `SELECT paid_at FROM payouts WHERE id = $1`, ids[0]).
		Scan(&paid); err != nil || !paid.Equal(time.Date(2026, 11, 23, 0, 0, 0, 0, berlin(t))) {
		t.Errorf("paid at %v, %v", paid, err)
	}

	before := s.state(t)

	again := f.enter(t, first).want(t, 200)
	if again.str("unchanged") != "2" || s.state(t) != before {
		t.Errorf("again: %s", again.text)
	}

	if a := f.enter(t, last, "Idempotency-Key", "k").want(t, 200); a.str("completed") != "2" ||
		a.str("batch.status") != "settled" {
		t.Errorf("last: %s", a.text)
	}

	before = s.state(t)
	f.enter(t, first).want(t, 200)
	f.enter(t, last).want(t, 200)

	if a := f.enter(t, last, "Idempotency-Key", "k").want(t, 200); a.str("completed") != "2" ||
		a.header.Get("Idempotency-Replayed") != "true" {
		t.Errorf("replayed: %s", a.text)
	}

	f.enter(t, first, "Idempotency-Key", "k").want(t, 422)

	if s.state(t) != before {
		t.Error("repeated files changed something")
	}

	s.token = tokenOf(t, "u1", "partner")
	if a := s.call(t, "GET", "/payouts/"+ids[1], "").want(t, 200); a.str("failure_code") != "account_closed" ||
		a.str("external_reference") != "4712" || a.str("reason") != "" || a.str("status") != "failed" {
		t.Errorf("the partner reads %s", a.text)
	}

	s.token = tokenOf(t, "finance", "finance")
	for id, reason := range map[string]string{ids[1]: "closed, says the bank", ids[2]: "result file"} {
		if a := s.call(t, "GET", "/payouts/"+id, "").want(t, 200); a.str("reason") != reason {
			t.Errorf("finance reads %s", a.text)
		}
	}

	s.token = tokenOf(t, "u0", "partner")
	if a := s.call(t, "GET", "/balances/u0", "").want(t, 200); a.str("balances.0.paid_minor") != "100" ||
		a.str("balances.0.in_payout_minor") != "0" {
		t.Errorf("balance: %s", a.text)
	}
}

// Each of these files is refused whole, with every fault that it has.
func TestBadResultFilesAreRefusedWhole(t *testing.T) {
	t.Parallel()
	s := secured(t)
	s.account(t, "other", `{}`, false) // in no batch: it is requested after the cut-off
	f, ids := s.sent(t, 6)

	f.enter(t, "reference,outcome,external_reference\n"+ids[4]+",completed,4711\n"+ids[5]+",failed,4712\n").
		want(t, 200)

	good := ids[0] + ",completed,,,,\n"
	line := func(cells string) string { return resultsHeader + good + cells + "\n" }

	missing := []string{"lines[1].reference:required", "lines[1].outcome:required"}

	if a := f.enter(t, ""); a.status != 400 || a.str("code") != "body_unreadable" {
		t.Errorf("nothing: %s", a.text)
	}

	before := s.state(t)
	for name, c := range map[string]struct {
		text   string
		faults []string // field:code
	}{
		"no line":               {resultsHeader, []string{"lines[2]:required"}},
		"no header":             {good, append(slices.Repeat([]string{"lines[1]:unknown_field"}, 6), missing...)},
		"no reference":          {"outcome\ncompleted\n", []string{"lines[1].reference:required"}},
		"no outcome":            {"reference\n" + ids[0] + "\n", []string{"lines[1].outcome:required"}},
		"a column twice":        {"reference,outcome,outcome\n" + good, []string{"lines[1].outcome:repeated"}},
		"an unknown column":     {"reference,outcome,amount\n" + good, []string{"lines[1]:unknown_field"}},
		"semicolons":            {"reference;outcome\n" + ids[0] + ";completed\n", append([]string{"lines[1]:unknown_field"}, missing...)},
		"capitals":              {"Reference,Outcome\n" + good, append(slices.Repeat([]string{"lines[1]:unknown_field"}, 2), missing...)},
		"not UTF-8":             {line(ids[1] + ",failed,,\xff,,"), []string{"lines[1]:csv_invalid_utf8"}},
		"a quote in a cell":     {line(ids[1] + ",fai\"led,,,,"), []string{"lines[3]:csv_syntax"}},
		"a quote that is open":  {line(ids[1] + ",\"failed,,,,"), []string{"lines[3]:csv_syntax"}},
		"too few cells":         {line(ids[1] + ",completed"), []string{"lines[3]:wrong_count"}},
		"too many cells":        {line(ids[1] + ",completed,,,,,"), []string{"lines[3]:wrong_count"}},
		"no reference in it":    {line(",completed,,,,"), []string{"lines[3].reference:required"}},
		"a bad reference":       {line("4711,completed,,,,"), []string{"lines[3].reference:invalid_value"}},
		"an unknown reference":  {line(newID() + ",completed,,,,"), []string{"lines[3].reference:reference_unknown"}},
		"a payout twice":        {line(ids[0] + ",completed,,,,"), []string{"lines[3].reference:repeated"}},
		"one payout two ways":   {line(payout.ShortReference(ids[0]) + ",failed,,,,"), []string{"lines[3].reference:repeated"}},
		"no outcome in it":      {line(ids[1] + ",,,,,"), []string{"lines[3].outcome:required"}},
		"an unknown outcome":    {line(ids[1] + ",paid,,,,"), []string{"lines[3].outcome:invalid_value"}},
		"cancelled":             {line(ids[1] + ",cancelled,,,,"), []string{"lines[3].outcome:invalid_value"}},
		"an unknown code":       {line(ids[1] + ",failed,bad luck,,,"), []string{"lines[3].failure_code:invalid_value"}},
		"a code of a paid one":  {line(ids[1] + ",completed,returned,,,"), []string{"lines[3].failure_code:not_applicable"}},
		"paid though it failed": {line(ids[1] + ",failed,,,,2026-11-23"), []string{"lines[3].paid_at:not_applicable"}},
		"a bad time":            {line(ids[1] + ",completed,,,,23.11.2026"), []string{"lines[3].paid_at:time_malformed"}},
		"paid in a year":        {line(ids[1] + ",completed,,,,2027-11-23"), []string{"lines[3].paid_at:in_the_future"}},
		"paid before":           {line(ids[1] + ",completed,,,,2025-11-23"), []string{"lines[3].paid_at:too_early"}},
		"a long reference":      {line(ids[1] + ",completed,,," + strings.Repeat("x", 129) + ","), []string{"lines[3].external_reference:invalid_value"}},
		"a bad reason":          {line(ids[1] + ",completed,,\x07,,"), []string{"lines[3].reason:invalid_value"}},
		"paid, then failed":     {line(ids[4] + ",failed,,,,"), []string{"lines[3].outcome:already_closed"}},
		"failed, then paid":     {line(ids[5] + ",completed,,,,"), []string{"lines[3].outcome:already_closed"}},
		"another payment":       {line(ids[4] + ",completed,,,4713,"), []string{"lines[3].outcome:already_closed"}},
		"another day":           {line(ids[4] + ",completed,,,4711,2026-11-22"), []string{"lines[3].outcome:already_closed"}},
		"all at once": {
			line(ids[1] + ",paid,,,,yesterday\n" + newID() + ",completed,,,,\n" + ids[2] +
				",failed,bad luck,,,2026-11-23\n4711,,,\x07,,"),
			[]string{
				"lines[3].outcome:invalid_value", "lines[3].paid_at:time_malformed",
				"lines[4].reference:reference_unknown",
				"lines[5].paid_at:not_applicable", "lines[5].failure_code:invalid_value",
				"lines[6].reference:invalid_value", "lines[6].outcome:required",
				"lines[6].reason:invalid_value",
			},
		},
		"too many lines": {
			"reference,outcome\n" + strings.Repeat(ids[0]+",completed\n", 5001),
			slices.Repeat([]string{"*:repeated"}, 100),
		},
	} {
		a := f.enter(t, c.text)

		var got []string

		list, _ := a.body["errors"].([]any)
		for _, e := range list {
			got = append(got, fmt.Sprint(e.(map[string]any)["field"], ":", e.(map[string]any)["code"]))
		}

		if strings.HasPrefix(c.faults[0], "*") {
			if len(got) != 101 || !strings.HasSuffix(got[99], ":repeated") {
				t.Errorf("%s: %v", name, got)
			}
		} else if !slices.Equal(got, c.faults) {
			t.Errorf("%s: %v, want %v: %s", name, got, c.faults, a.text)
		}

		if a.status != 422 || a.str("code") != "results_invalid" || s.state(t) != before {
			t.Errorf("%s: %d %s", name, a.status, a.text)
		}
	}

	if a := f.enter(t, resultsHeader+good+ids[4]+",completed,,,4711,\n").want(t, 200); a.str("completed") != "1" ||
		a.str("unchanged") != "1" {
		t.Errorf("a good one: %s", a.text)
	}
}

// Results are entered for sent batches, by finance, by no one who is paid, as CSV.
func TestWhenResultsAreTaken(t *testing.T) {
	t.Parallel()
	s := secured(t)
	id := s.account(t, "finance", `{}`, false)
	other := s.account(t, "u", `{}`, false)
	f := s.filed(t)
	file := "reference,outcome\n" + id + ",completed\n"

	if a := f.enter(t, file).want(t, 403); a.str("code") != "own_gain_refused" {
		t.Errorf("one's own: %s", a.text)
	}

	s.token = tokenOf(t, "boss", "finance")
	s.call(t, "POST", "/payouts/"+id+"/fail", `{"reason":"r"}`).want(t, 200)

	file = "reference,outcome\n" + other + ",completed\n"

	if a := f.enter(t, file).want(t, 409); a.str("code") != "transition_refused" {
		t.Errorf("a draft: %s", a.text)
	}

	f.act(t, "operator", "approve", 200)
	f.enter(t, file).want(t, 409)
	f.act(t, "finance", "send", 200)
	f.enter(t, file, "If-Match", `"9"`).want(t, 412)
	f.enter(t, file, "Content-Type", "application/json").want(t, 415)
	f.enter(t, file, "Authorization", "Bearer "+tokenOf(t, "boss", "operator")).want(t, 403)
	f.enter(t, file).want(t, 200)
	f.path = "/payout-batches/" + newID()
	f.enter(t, file).want(t, 404)
}
