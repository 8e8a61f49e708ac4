package rest_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// actions returns the actions of the rows, in their order, page by page.
func (s service) actions(t *testing.T, filter string, limit int) string {
	t.Helper()

	var (
		list   []string
		cursor string
	)

	for {
		page := s.call(t, "GET", fmt.Sprintf("/audit?limit=%d&cursor=%s%s", limit, cursor, filter), "").
			want(t, 200)

		rows, _ := page.body["data"].([]any)
		for _, row := range rows {
			list = append(list, fmt.Sprint(row.(map[string]any)["action"]))
		}

		if cursor = page.str("next_cursor"); cursor == "" {
			return strings.Join(list, " ")
		}
	}
}

// The audit lists what was done, newest first, to operators and admin only, without any account.
func TestTheAuditIsListed(t *testing.T) {
	t.Parallel()
	s := secured(t)
	s.token = tokenOf(t, "boss", "admin")
	s.call(t, "POST", "/rules", `{"name":"held","event_type":"purchase","user_id":"u","hold_days":30,
		"formula":{"kind":"percentage","rate":"0.1"},"effective_from":"2026-01-01T00:00:00Z"}`).want(t, 201)
	s.decide(t, purchase("e1", "u", "100"), purchase("e2", "v", "1000"))

	id := s.call(t, "GET", "/decisions/e1", "").str("commission_id")
	paid := s.pay(t, "v", 100)

	s.at(1)
	s.token = tokenOf(t, "=operator", "operator")
	s.call(t, "POST", "/commissions/"+id+"/hold", `{"reason":"=1+1"}`, "X-Request-ID", "r1").want(t, 200)
	s.call(t, "POST", "/commissions/"+id+"/release", `{"reason":"checked"}`).want(t, 200)

	s.at(2)
	s.token = tokenOf(t, "money", "finance")
	s.call(t, "GET", "/payouts/"+paid, "").want(t, 200)
	s.call(t, "POST", "/payouts/"+paid+"/complete", `{"reason":"paid"}`).want(t, 200)

	for role, status := range map[string]int{"partner": 403, "finance": 403, "operator": 200, "admin": 200} {
		s.token = tokenOf(t, "x", role)
		s.call(t, "GET", "/audit", "").want(t, status)
		s.call(t, "GET", "/audit.csv", "").want(t, status)
	}

	s.token = tokenOf(t, "x", "operator")

	for filter, want := range map[string]string{
		"":                              "completed open_account release hold publish",
		"&actor=%3Doperator":            "release hold",
		"&action=hold":                  "hold",
		"&subject_type=payout":          "completed open_account",
		"&subject_id=" + id:             "release hold",
		"&subject_id=none":              "",
		"&from=2026-11-23T12:01:00Z":    "completed open_account release hold",
		"&to=2026-11-23T12:02:00Z":      "release hold publish",
		"&actor=money&action=completed": "completed",
	} {
		for _, limit := range []int{1, 2, 100} {
			if got := s.actions(t, filter, limit); got != want {
				t.Errorf("%q by %d: %s, want %s", filter, limit, got, want)
			}
		}
	}

	held := s.call(t, "GET", "/audit?action=hold", "")
	for field, want := range map[string]string{
		"actor":         "=operator",
		"at":            start().Add(time.Minute).Format(time.RFC3339),
		"subject_type":  "commission",
		"subject_id":    id,
		"reason":        "=1+1",
		"before.status": "pending",
		"after.status":  "held",
		"request_id":    "r1",
	} {
		if got := held.str("data.0." + field); got != want {
			t.Errorf("%s is %q, want %q", field, got, want)
		}
	}

	opened := s.call(t, "GET", "/audit?action=open_account", "")
	if !strings.Contains(opened.text, `"before":null,"after":null`) {
		t.Errorf("opened: %s", opened.text)
	}

	s.checkAuditCSV(t)
}

func (s service) checkAuditCSV(t *testing.T) {
	t.Helper()

	all := s.call(t, "GET", "/audit.csv", "")
	if lines := strings.Split(strings.TrimSpace(all.text), "\n"); len(lines) != 6 ||
		!slices.ContainsFunc(lines, func(line string) bool { return strings.Contains(line, ",'=operator,hold,") }) {
		t.Errorf("CSV: %s", all.text)
	}

	if strings.Contains(all.text+s.call(t, "GET", "/audit", "").text, "example.com") {
		t.Error("the audit shows an account")
	}
}
