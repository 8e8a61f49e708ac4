package rest_test

import (
	"encoding/csv"
	"fmt"
	"strings"
	"testing"
	"time"

	"tributary/commission/internal/domain/event"
	"tributary/commission/internal/domain/payout"
	"tributary/contracts/eventtype"
	"tributary/platform/auth/authtest"
)

// pay requests a payout and fails the test unless the balance covers it.
func (s service) pay(t *testing.T, user string, minor int64) string {
	t.Helper()

	p, err := s.payouts.Handle(t.Context(), request(newID(), user, minor))
	if err != nil || p.Status != payout.Requested {
		t.Fatalf("%+v, %v", p, err)
	}

	return p.ID
}

func (s service) closePayout(t *testing.T, id, verb string) {
	t.Helper()

	body := `{"reason":"bank run"}`
	if verb == "fail" {
		body = `{"reason":"bank run","failure_code":"account_closed"}`
	}

	s.call(t, "POST", "/payouts/"+id+"/"+verb, body).want(t, 200)
}

// takenBack is a refund of an event of u.
func takenBack(id, original, amount string) event.Snapshot {
	return event.Snapshot{
		ID:         id,
		UserID:     "u",
		Type:       eventtype.Refund,
		OriginalID: original,
		Amount:     amount,
	}
}

// rows joins members of the rows of a list.
func (a answer) rows(members ...string) string {
	var out []string
	for _, row := range a.body["data"].([]any) {
		var cells []string
		for _, m := range members {
			cells = append(cells, fmt.Sprint(row.(map[string]any)[m]))
		}

		out = append(out, strings.Join(cells, " "))
	}

	return strings.Join(out, "; ")
}

func (s service) commissionOf(t *testing.T, eventID string) string {
	t.Helper()
	return s.call(t, "GET", "/decisions/"+eventID, "").want(t, 200).str("commission_id")
}

// A commission names its payouts and a payout its commissions, while payouts fail, are completed
// and net clawbacks.
func TestCommissionsAndPayoutsNameEachOther(t *testing.T) {
	t.Parallel()
	s := setup(t)
	s.decide(t, purchase("e1", "u", "100"), purchase("e2", "u", "50"), purchase("e3", "u", "30"))

	wantPayments := func(when, want string) {
		t.Helper()

		a := s.call(t, "GET", "/commissions?user_id=u", "").want(t, 200)
		if got := a.rows("event_id", "payment_status", "paid_minor"); got != want {
			t.Errorf("%s: %s, want %s", when, got, want)
		}
	}
	wantItems := func(when, id, want string) {
		t.Helper()

		a := s.call(t, "GET", "/payouts/"+id+"/items", "").want(t, 200)
		if got := a.rows("event_id", "amount_minor", "commission_amount"); got != want {
			t.Errorf("%s: %s, want %s", when, got, want)
		}
	}

	wantPayments("new", "e3 unpaid 0; e2 unpaid 0; e1 unpaid 0")

	first := s.pay(t, "u", 1200)
	wantPayments("requested", "e3 unpaid 0; e2 in_payout 0; e1 in_payout 0")
	wantItems("requested", first, "e1 1000 10.00; e2 200 5.00")

	s.closePayout(t, first, "complete")
	wantPayments("completed", "e3 unpaid 0; e2 partly_paid 200; e1 paid 1000")

	failed := s.pay(t, "u", 400)
	s.closePayout(t, failed, "fail")
	wantPayments("failed", "e3 unpaid 0; e2 partly_paid 200; e1 paid 1000")
	wantItems("failed", failed, "e2 300 5.00; e3 100 3.00")

	s.decide(t, takenBack("r1", "e1", "40"))

	second := s.pay(t, "u", 200)
	s.closePayout(t, second, "complete")
	wantPayments("netted", "r1 paid -400; e3 paid 300; e2 paid 500; e1 paid 1000")
	wantItems("netted", second, "e2 300 5.00; e3 300 3.00; r1 -400 -4.00")

	a := s.call(t, "GET", "/commissions/"+s.commissionOf(t, "e2")+"/payouts", "").want(t, 200)
	if got, want := a.rows("payout_id", "status", "amount_minor"),
		second+" completed 300; "+failed+" failed 300; "+first+" completed 200"; got != want {
		t.Errorf("payouts of e2: %s, want %s", got, want)
	}

	s.call(t, "GET", "/commissions/"+newID()+"/payouts", "").want(t, 404)
	s.call(t, "GET", "/payouts/"+newID()+"/items", "").want(t, 404)

	exported := s.call(t, "GET", "/commissions.csv?user_id=u", "").want(t, 200).text
	for _, want := range []string{",payment_status,paid,paid_minor", ",paid,-4.00,-400", ",paid,5.00,500"} {
		if !strings.Contains(exported, want) {
			t.Errorf("CSV without %q: %s", want, exported)
		}
	}
}

// The pages of items are the items, whatever the size of the page.
func TestItemsComeInPages(t *testing.T) {
	t.Parallel()
	s := setup(t)

	var events []event.Snapshot
	for i := range 25 {
		events = append(events, purchase(fmt.Sprintf("e%02d", i), "u", "10"))
	}

	s.decide(t, events...)

	released := s.pay(t, "u", 150) // 0..150, in the midst of the second item
	other := s.pay(t, "u", 100)
	s.closePayout(t, released, "cancel")
	s.decide(t, takenBack("r1", "e20", ""), takenBack("r2", "e21", ""))

	id := s.pay(t, "u", 1000) // 0..150 and 250..1300, less 200
	whole := s.call(t, "GET", "/payouts/"+id+"/items", "").want(t, 200)

	all := whole.rows("event_id", "amount_minor")
	if !strings.HasPrefix(all, "e00 100; e01 50; e02 50; e03 100; ") ||
		!strings.HasSuffix(all, "; e12 100; r1 -100; r2 -100") {
		t.Fatalf("items: %s", all)
	}

	for limit := 1; limit < 5; limit++ {
		var pages []string
		for cursor := ""; ; {
			path := fmt.Sprintf("/payouts/%s/items?limit=%d&cursor=%s", id, limit, cursor)
			page := s.call(t, "GET", strings.TrimSuffix(path, "&cursor="), "").want(t, 200)
			pages = append(pages, page.rows("event_id", "amount_minor"))

			if cursor = page.str("next_cursor"); cursor == "" {
				break
			}
		}

		if got := strings.Join(pages, "; "); got != all {
			t.Errorf("pages of %d: %s, want %s", limit, got, all)
		}
	}

	s.checkItemsCSV(t, id, all)

	a := s.call(t, "GET", "/payouts/"+other+"/items", "").want(t, 200)
	if got := a.rows("event_id", "amount_minor"); got != "e01 50; e02 50" {
		t.Errorf("the other: %s", got)
	}
}

// checkItemsCSV checks that the CSV has the items: their events and amounts.
func (s service) checkItemsCSV(t *testing.T, id, items string) {
	t.Helper()

	text := s.call(t, "GET", "/payouts/"+id+"/items.csv", "").want(t, 200).text

	lines, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}

	var got []string
	for _, line := range lines[1:] {
		got = append(got, line[2]+" "+line[7])
	}

	if strings.Join(got, "; ") != items || lines[0][2] != "event_id" || lines[0][7] != "amount_minor" {
		t.Errorf("CSV: %s", text)
	}
}

// A clawback that takes more than what is left available takes the cover of the newest payouts.
func TestAPayoutLosesItsCover(t *testing.T) {
	t.Parallel()
	s := setup(t)
	s.decide(t, purchase("e1", "u", "100"))

	var ids []string
	for _, minor := range []int64{300, 300, 300} {
		s.now.Add(time.Second.Microseconds())

		ids = append(ids, s.pay(t, "u", minor))
	}

	wantCover := func(when string, want ...any) {
		t.Helper()

		for i, id := range ids {
			if got := s.call(t, "GET", "/payouts/"+id, "").want(t, 200).body["covered"]; got != want[i] {
				t.Errorf("%s, payout %d: covered %v, want %v", when, i, got, want[i])
			}
		}
	}

	wantCover("100 left", true, true, true)
	s.decide(t, takenBack("r1", "e1", "10"))
	wantCover("nothing left", true, true, true)
	s.decide(t, takenBack("r2", "e1", "1"))
	wantCover("10 short", true, true, false)
	s.decide(t, takenBack("r3", "e1", "30"))
	wantCover("310 short", true, false, false)

	a := s.call(t, "GET", "/payouts?user_id=u", "").want(t, 200)
	if got := a.rows("covered"); got != "false; false; true" {
		t.Errorf("list: %s", got)
	}

	s.closePayout(t, ids[2], "cancel")
	wantCover("10 short of two", true, false, nil)
	s.closePayout(t, ids[1], "complete")
	wantCover("one is paid all the same", false, nil, nil)
}

func TestPaymentsArePrivate(t *testing.T) {
	t.Parallel()
	s := secured(t)
	s.decide(t, purchase("e1", "owner", "100"))
	id := s.pay(t, "owner", 300)
	s.token = tokenOf(t, "boss", "operator")
	commission := s.commissionOf(t, "e1")

	for user, status := range map[string]int{"owner": 200, "other": 404} {
		s.token = authtest.HS256(t, authtest.Secret, authtest.Claims(time.Now(), user))
		s.call(t, "GET", "/payouts/"+id+"/items", "").want(t, status)
		s.call(t, "GET", "/payouts/"+id+"/items.csv", "").want(t, status)
		s.call(t, "GET", "/commissions/"+commission+"/payouts", "").want(t, status)
	}
}
