package rest_test

import (
	"fmt"
	"strings"
	"testing"
)

// moves returns the transfers of the list as "user from>to minor", page by page.
func (s service) moves(t *testing.T, filter string, limit int) string {
	t.Helper()

	var (
		list   []string
		cursor string
	)

	for {
		page := s.call(t, "GET", fmt.Sprintf("/ledger?limit=%d&cursor=%s%s", limit, cursor, filter), "").
			want(t, 200)

		rows, _ := page.body["data"].([]any)
		for _, row := range rows {
			r := row.(map[string]any)
			list = append(list, fmt.Sprintf(
				"%s %s>%s %s", r["user_id"], r["from_account"], r["to_account"], r["amount"],
			))
		}

		if cursor = page.str("next_cursor"); cursor == "" {
			return strings.Join(list, ", ")
		}
	}
}

// The ledger is listed newest first, and a partner sees only its own transfers.
func TestTheLedgerIsListed(t *testing.T) {
	t.Parallel()
	s := secured(t)
	s.token = tokenOf(t, "boss", "admin")
	s.decide(t, purchase("e1", "u", "1000"))
	s.at(1)
	s.decide(t, purchase("e2", "=v", "50"))
	s.at(2)

	first := s.pay(t, "u", 300)

	s.at(3)
	s.call(t, "POST", "/payouts/"+first+"/complete", `{"reason":"paid"}`).want(t, 200)

	id := s.call(t, "GET", "/decisions/e1", "").str("commission_id")
	all := "u in_payout>paid 3.00, u available>in_payout 3.00, =v programme>available 5.00, " +
		"u programme>available 100.00"

	for filter, want := range map[string]string{
		"":                           all,
		"&user_id=%3Dv":              "=v programme>available 5.00",
		"&account=paid":              "u in_payout>paid 3.00",
		"&currency=EUR":              "",
		"&payout_id=" + first:        "u in_payout>paid 3.00, u available>in_payout 3.00",
		"&commission_id=" + id:       "u programme>available 100.00",
		"&commission_id=" + first:    "",
		"&payout_id=x":               "",
		"&from=2026-11-23T12:03:00Z": "u in_payout>paid 3.00",
		"&to=2026-11-23T12:01:00Z":   "u programme>available 100.00",
	} {
		for _, limit := range []int{1, 3, 100} {
			if got := s.moves(t, filter, limit); got != want {
				t.Errorf("%q by %d: %s, want %s", filter, limit, got, want)
			}
		}
	}

	exported := s.call(t, "GET", "/ledger.csv?account=available", "").want(t, 200).text
	if strings.Count(exported, "\n") != 4 || !strings.Contains(exported, ",'=v,USD,programme,available,5.00,500,") {
		t.Errorf("CSV: %s", exported)
	}

	s.token = tokenOf(t, "=v", "partner")
	if got := s.moves(t, "", 100); got != "=v programme>available 5.00" {
		t.Errorf("=v sees %s", got)
	}

	if got := s.moves(t, "&payout_id="+first, 100); got != "" {
		t.Errorf("=v sees %s", got)
	}

	if got := s.call(t, "GET", "/ledger.csv", "").want(t, 200).text; strings.Count(got, "\n") != 2 {
		t.Errorf("=v exports %s", got)
	}

	s.call(t, "GET", "/ledger?user_id=u", "").want(t, 403)
	s.call(t, "GET", "/ledger.csv?user_id=u", "").want(t, 403)
}
