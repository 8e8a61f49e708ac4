package rest_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"tributary/commission/internal/domain/event"
)

// month is a month of u: earned, clawed back, adjusted, rejected and paid.
func (s service) month(t *testing.T) {
	t.Helper()

	late := purchase("late", "u", "30")
	late.CampaignID = "held"

	if _, err := s.db.Pool.Exec(t.Context(), `INSERT INTO rules (rule_id, version, name, event_type,
    campaign_id, kind, rate, hold_days, effective_from, revision)
    VALUES ('00000000-0000-7000-8000-000000000099', 1, 'held', 'purchase', 'held', 'percentage',
    '0.1', 30, '2026-01-01', 2)`); err != nil {
		t.Fatal(err)
	}

	euros := purchase("euros", "u", "70")
	euros.Currency = "EUR"
	euros.OrderID = "=order"

	s.decide(t, purchase("e1", "u", "100"), purchase("e2", "u", "50"), euros, late)
	s.decide(t, takenBack("r1", "e1", "40"))
	s.call(t, "POST", "/adjustments",
		`{"user_id":"u","amount":"-1.50","currency":"USD","reason":"fee"}`).want(t, 201)
	s.call(t, "POST", "/commissions/"+s.commissionOf(t, "late")+"/reject",
		`{"reason":"fraud"}`).want(t, 200)

	id := s.pay(t, "u", 600)
	s.closePayout(t, id, "complete")
	s.pay(t, "u", 100) // stays requested: it is owed
	s.now.Add(2 * time.Minute.Microseconds())
}

func accounts(a answer) string {
	var out []string
	for _, row := range a.body["accounts"].([]any) {
		x := row.(map[string]any)

		var cells []string
		for _, m := range []string{"currency", "opening", "earned", "clawed_back", "adjusted", "rejected", "paid", "closing"} {
			cells = append(cells, fmt.Sprint(x[m]))
		}

		out = append(out, strings.Join(cells, " "))
	}

	return strings.Join(out, "; ")
}

func TestAStatementSaysWhatIsOwedAndWhy(t *testing.T) {
	t.Parallel()
	s := setup(t)
	s.month(t)

	a := s.call(t, "GET", "/statements/u?month=2026-11", "").want(t, 200)
	if got, want := accounts(a), "EUR 0.00 7.00 0.00 0.00 0.00 0.00 7.00; "+
		"USD 0.00 18.00 -4.00 -1.50 -3.00 -6.00 3.50"; got != want {
		t.Errorf("accounts: %s, want %s", got, want)
	}

	if a.str("final") != "false" || a.str("time_zone") != "UTC" || a.str("to") != "2026-12-01T00:00:00Z" {
		t.Errorf("period: %s", a.text)
	}

	if got, want := a.rows("entry", "event_id", "amount"), "earned e1 10.00; earned e2 5.00; "+
		"earned euros 7.00; earned late 3.00; clawed_back r1 -4.00; adjusted <nil> -1.50; "+
		"rejected late -3.00; paid <nil> -6.00"; got != want {
		t.Errorf("lines: %s, want %s", got, want)
	}

	var pages []string
	for cursor := ""; ; {
		path := "/statements/u?month=2026-11&limit=3&cursor=" + cursor
		page := s.call(t, "GET", strings.TrimSuffix(path, "&cursor="), "").want(t, 200)
		pages = append(pages, page.rows("entry", "event_id", "amount"))

		if cursor = page.str("next_cursor"); cursor == "" {
			break
		}
	}

	if got := strings.Join(pages, "; "); got != a.rows("entry", "event_id", "amount") {
		t.Errorf("pages: %s", got)
	}

	if b := s.call(t, "GET", "/statements/u?month=2026-10", "").want(t, 200); b.str("final") != "true" ||
		accounts(b) != "EUR 0.00 0.00 0.00 0.00 0.00 0.00 0.00; USD 0.00 0.00 0.00 0.00 0.00 0.00 0.00" {
		t.Errorf("the month before: %s", b.text)
	}

	s.now.Store(start().AddDate(0, 1, 0).UnixMicro())

	if b := s.call(t, "GET", "/statements/u?month=2026-12", "").want(t, 200); accounts(b) !=
		"EUR 7.00 0.00 0.00 0.00 0.00 0.00 7.00; USD 3.50 0.00 0.00 0.00 0.00 0.00 3.50" {
		t.Errorf("the month after: %s", b.text)
	}
}

func TestAStatementIsExportedAndPrinted(t *testing.T) {
	t.Parallel()
	s := setup(t)

	hostile := purchase("e0", "<b>u</b>", "10")
	hostile.OrderID = `<script>alert(1)</script>`
	s.decide(t, hostile)
	s.month(t)

	csv := s.call(t, "GET", "/statements/u?month=2026-11", "", "Accept", "text/csv").want(t, 200)
	if other := s.call(t, "GET", "/statements/u/csv?month=2026-11", "").want(t, 200); other.text != csv.text {
		t.Errorf("two answers: %s and %s", csv.text, other.text)
	}

	lines := strings.Split(strings.TrimSpace(csv.text), "\n")
	if len(lines) != 1+2+8+2 || !strings.HasPrefix(lines[2], "opening,,,,,,,,0.00,0,USD") ||
		!strings.HasPrefix(lines[12], "closing,,,,,,,,3.50,350,USD") ||
		!strings.Contains(csv.text, ",'=order,") {
		t.Errorf("CSV: %s", csv.text)
	}

	page := s.call(t, "GET", "/statements/u?month=2026-11", "", "Accept", "text/html,*/*").want(t, 200)
	if !strings.Contains(page.text, `<td class="amount">18.00</td>`) ||
		!strings.HasSuffix(strings.TrimSpace(page.text), "</html>") ||
		!strings.HasPrefix(page.header.Get("Content-Security-Policy"), "default-src 'none'") ||
		!strings.HasPrefix(page.header.Get("Content-Type"), "text/html") {
		t.Errorf("page: %v %s", page.header, page.text)
	}

	evil := s.call(t, "GET", "/statements/%3Cb%3Eu%3C%2Fb%3E/html?month=2026-11", "").want(t, 200)
	if strings.Contains(evil.text, "<b>") || strings.Contains(evil.text, "<script>") ||
		!strings.Contains(evil.text, "&lt;script&gt;") {
		t.Errorf("page: %s", evil.text)
	}

	for month, code := range map[string]string{
		"2026-13": "invalid_value",
		"2026-12": "in_the_future",
	} {
		b := s.call(t, "GET", "/statements/u?month="+month, "").want(t, 422)
		if b.str("errors.0.code") != code {
			t.Errorf("%s: %s", month, b.text)
		}
	}
}

func TestBalancesAreListedNowAndThen(t *testing.T) {
	t.Parallel()
	s := setup(t)
	s.decide(t, purchase("e1", "u", "100"), purchase("e2", "v", "50"), purchase("e3", "w", "20"))

	s.now.Add(time.Hour.Microseconds())

	then := start().Add(30 * time.Minute).Format(time.RFC3339)

	s.closePayout(t, s.pay(t, "u", 1000), "complete")
	s.decide(t, takenBack("r1", "e1", "30"), purchase("e4", "x", "10"))

	wantRows := func(query, want string) {
		t.Helper()

		a := s.call(t, "GET", "/balances"+query, "").want(t, 200)
		if got := a.rows("user_id", "available", "paid"); got != want {
			t.Errorf("%s: %s, want %s", query, got, want)
		}
	}

	wantRows("", "u -3.00 10.00; v 5.00 0.00; w 2.00 0.00; x 1.00 0.00")
	wantRows("?user_id=v", "v 5.00 0.00")
	wantRows("?currency=EUR", "")
	wantRows("?as_of="+then, "u 10.00 0.00; v 5.00 0.00; w 2.00 0.00; x 0.00 0.00")
	wantRows("?non_zero=true&as_of="+then, "u 10.00 0.00; v 5.00 0.00; w 2.00 0.00")
	wantRows("?as_of="+start().Add(-time.Hour).Format(time.RFC3339)+"&non_zero=true", "")

	first := s.call(t, "GET", "/balances?limit=2&as_of="+then, "").want(t, 200)
	second := s.call(
		t,
		"GET",
		"/balances?limit=2&as_of="+then+"&cursor="+first.str("next_cursor"),
		"",
	).want(t, 200)

	if got := first.rows("user_id") + " " + second.rows("user_id"); got != "u; v w; x" {
		t.Errorf("pages: %s", got)
	}

	csv := s.call(t, "GET", "/balances.csv", "").want(t, 200).text
	if !strings.Contains(csv, "u,USD,0.00,0,-3.00,-300,0.00,0,10.00,1000\n") {
		t.Errorf("CSV: %s", csv)
	}

	for query, want := range map[string]string{
		"":               "USD 4 5.00 5.00 10.00 -3.00",
		"?as_of=" + then: "USD 4 17.00 17.00 0.00 0.00",
		"?currency=EUR":  "",
	} {
		a := s.call(t, "GET", "/liabilities"+query, "").want(t, 200)
		if got := a.rows("currency", "users", "owed", "available", "paid", "overdrawn"); got != want {
			t.Errorf("liabilities%s: %s, want %s", query, got, want)
		}
	}

	payouts := s.call(t, "GET", "/payouts.csv?user_id=u", "").want(t, 200).text
	if !strings.Contains(payouts, ",u,10.00,1000,USD,paypal,completed,bank run,") {
		t.Errorf("payouts: %s", payouts)
	}
}

// The buckets of what is pending sum to it: clawbacks wait with their earnings.
func TestPendingMoneyIsAged(t *testing.T) {
	t.Parallel()
	s := setup(t)

	for i, days := range []int{1, 10, 40, 80, 200} {
		if _, err := s.db.Pool.Exec(t.Context(), `INSERT INTO rules (rule_id, version, name,
    event_type, campaign_id, kind, rate, hold_days, effective_from, revision)
    VALUES (gen_random_uuid(), 1, 'held', 'purchase', $1, 'percentage', '0.1', $2, '2026-01-01',
    $3)`, fmt.Sprint("c", days), days, i+2); err != nil {
			t.Fatal(err)
		}
	}

	sale := func(id string, days int) event.Snapshot {
		e := purchase(id, "u", "100")
		e.CampaignID = fmt.Sprint("c", days)

		return e
	}

	s.decide(t, sale("e1", 1), sale("e10", 10), sale("e40", 40), sale("e80", 80), sale("e200", 200),
		sale("held", 200), sale("gone", 10))
	s.decide(t, takenBack("r10", "e10", "30"), takenBack("rheld", "held", "10"), takenBack("all", "gone", ""))
	s.call(t, "POST", "/commissions/"+s.commissionOf(t, "held")+"/hold", `{"reason":"look"}`).want(t, 200)

	a := s.call(t, "GET", "/liabilities/ageing", "").want(t, 200)
	if got, want := a.rows("bucket", "count", "amount"), "within_7_days 1 10.00; "+
		"within_30_days 2 7.00; within_60_days 1 10.00; within_90_days 1 10.00; later 1 10.00; "+
		"held 2 9.00"; got != want {
		t.Errorf("ageing: %s, want %s", got, want)
	}

	if b := s.call(t, "GET", "/liabilities", "").want(t, 200); b.rows("pending") != "56.00" {
		t.Errorf("pending: %s", b.text)
	}

	s.now.Store(start().AddDate(0, 0, 2).UnixMicro())

	b := s.call(t, "GET", "/liabilities/ageing?currency=USD", "").want(t, 200)
	if got := b.rows("bucket", "amount"); !strings.HasPrefix(got, "due 10.00; within_30_days 7.00; ") {
		t.Errorf("two days later: %s", got)
	}
}
