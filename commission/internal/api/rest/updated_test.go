package rest_test

import (
	"strings"
	"testing"
	"time"
)

// at sets the clock to so many minutes after the start.
func (s service) at(minutes int) {
	s.now.Store(start().Add(time.Duration(minutes) * time.Minute).UnixMicro())
}

// ids returns the ids of a page, by the names of their rows.
func ids(a answer, names map[string]string) string {
	var list []string

	rows, _ := a.body["data"].([]any)
	for _, row := range rows {
		id, _ := row.(map[string]any)["id"].(string)
		list = append(list, names[id])
	}

	return strings.Join(list, " ")
}

// A row that changes while a list of changes is read comes again at its end, and none is missed.
func TestAListOfChangesMissesNothing(t *testing.T) {
	t.Parallel()
	s := setup(t)
	s.call(t, "POST", "/rules", `{"name":"held","event_type":"purchase","formula":
		{"kind":"percentage","rate":"0.1"},"priority":1,"user_id":"u","hold_days":30,
		"effective_from":"2026-01-01T00:00:00Z"}`).want(t, 201)

	names := map[string]string{}

	for i, event := range []string{"a", "b", "c", "d"} {
		s.at(i)
		s.decide(t, purchase(event, "u", "100"))
		names[s.call(t, "GET", "/decisions/"+event, "").str("commission_id")] = event
	}

	hold := func(event string) {
		id := s.call(t, "GET", "/decisions/"+event, "").str("commission_id")
		held := s.call(t, "POST", "/commissions/"+id+"/hold", `{"reason":"checked"}`).want(t, 200)

		want := time.UnixMicro(s.now.Load()).UTC().Format(time.RFC3339)
		if held.str("updated_at") != want ||
			s.call(t, "GET", "/commissions/"+id, "").str("updated_at") != want {
			t.Errorf("%s was updated at %s, want %s", event, held.str("updated_at"), want)
		}
	}

	s.at(4)
	hold("a")

	first := s.call(t, "GET", "/commissions?limit=2&updated_from=2026-11-23T12:01:00Z", "")
	if got := ids(first, names); got != "b c" {
		t.Errorf("first page: %s", got)
	}

	s.at(5)
	hold("b")

	next := s.call(t, "GET", "/commissions?limit=9&updated_from=2026-11-23T12:01:00Z&cursor="+
		first.str("next_cursor"), "")
	if got := ids(next, names); got != "d a b" {
		t.Errorf("next page: %s", got)
	}

	for query, want := range map[string]string{
		"updated_from=2026-11-23T12:04:00Z":                                   "a b",
		"updated_to=2026-11-23T12:04:00Z":                                     "c d",
		"updated_from=2026-11-23T12:04:00Z&updated_to=2026-11-23T12:05:00Z":   "a",
		"created_from=2026-11-23T12:01:00Z&created_to=2026-11-23T12:03:00Z":   "c b",
		"created_from=2026-11-23T12:01:00Z&updated_from=2026-11-23T12:04:00Z": "b",
	} {
		if got := ids(s.call(t, "GET", "/commissions?"+query, "").want(t, 200), names); got != want {
			t.Errorf("%s: %s, want %s", query, got, want)
		}

		lines := strings.Split(s.call(t, "GET", "/commissions.csv?"+query, "").want(t, 200).text, "\n")
		if rows := len(strings.Fields(want)); len(lines) != rows+2 {
			t.Errorf("%s: %q", query, lines)
		}
	}
}

func TestCommissionsOfAnOrder(t *testing.T) {
	t.Parallel()
	s := setup(t)

	sale := purchase("sale", "u", "100")
	sale.OrderID = "order1"
	back := purchase("back", "u", "20")
	back.Type = "refund"
	back.OrderID = "order1"
	other := purchase("other", "u", "100")
	other.OrderID = "order2"

	s.decide(t, sale, back, other)

	a := s.call(t, "GET", "/commissions?order_id=order1", "").want(t, 200)
	if a.str("data.0.event_id") != "back" || a.str("data.1.event_id") != "sale" || a.str("data.2.id") != "" {
		t.Errorf("order1: %s", a.text)
	}

	s.call(t, "GET", "/commissions?order_id="+strings.Repeat("x", 129), "").want(t, 422)
}

func TestPayoutsAndBatchesByTime(t *testing.T) {
	t.Parallel()
	s := setup(t)
	s.decide(t, purchase("e", "u", "1000"))

	names := map[string]string{}

	first := s.pay(t, "u", 100)
	names[first] = "a"

	for i, name := range []string{"b", "c"} {
		s.at(1 + i)
		names[s.pay(t, "u", 100)] = name
	}

	s.at(5)

	closed := s.call(t, "POST", "/payouts/"+first+"/cancel", `{"reason":"checked"}`).want(t, 200)
	if closed.str("updated_at") != "2026-11-23T12:05:00Z" {
		t.Errorf("updated at %s", closed.str("updated_at"))
	}

	for query, want := range map[string]string{
		"":                                  "c b a",
		"updated_from=2026-11-23T12:02:00Z": "c a",
		"updated_from=2026-11-23T12:00:00Z&updated_to=2026-11-23T12:02:00Z": "b",
		"created_from=2026-11-23T12:01:00Z":                                 "c b",
		"created_to=2026-11-23T12:01:00Z":                                   "a",
	} {
		if got := ids(s.call(t, "GET", "/payouts?"+query, "").want(t, 200), names); got != want {
			t.Errorf("%s: %s, want %s", query, got, want)
		}
	}

	s.at(6)

	body := `{"currency":"USD","payment_method":"paypal","cutoff":"2026-11-23T12:01:00Z"}`
	batch := s.call(t, "POST", "/payout-batches", body).want(t, 201).str("id")

	if got := ids(s.call(t, "GET", "/payouts?updated_from=2026-11-23T12:02:00Z", ""), names); got != "c a b" {
		t.Errorf("b has joined a batch: %s", got)
	}

	for query, want := range map[string]string{
		"created_from=2026-11-23T12:06:00Z": batch,
		"created_to=2026-11-23T12:06:00Z":   "",
	} {
		if got := s.call(t, "GET", "/payout-batches?"+query, "").want(t, 200).str("data.0.id"); got != want {
			t.Errorf("batches %s: %s", query, got)
		}
	}
}
