package rest_test

import (
	"fmt"
	"strings"
	"testing"
)

func TestRulesArePublishedOnceAndNeverTie(t *testing.T) {
	t.Parallel()
	s := setup(t)
	body := `{"name":"camp","event_type":"purchase","campaign_id":"c","currency":"USD","formula":{"kind":"graduated","period":"month","tiers":[{"from":0,"rate":"0.05"},{"from":"1000.00","rate":0.10}]},"cap":{"amount":500,"period":"month"},"maximum":"100","minimum_base":5,"hold_days":14,"rounding":"half_up","priority":3,"effective_from":"2026-01-01T00:00:00Z"}`

	first := s.call(t, "POST", "/rules", body, "Idempotency-Key", "r").want(t, 201)
	if again := s.call(
		t,
		"POST",
		"/rules",
		body,
		"Idempotency-Key",
		"r",
	).want(t, 201); again.text != first.text {
		t.Errorf("again: %s", again.text)
	}

	if first.str("version") != "1" || first.str("content.formula.tiers.1.from") != "1000.00" ||
		first.str("content.cap.amount") != "500.00" ||
		first.str("content.minimum_base") != "5.00" {
		t.Errorf("published: %s", first.text)
	}

	id := first.str("rule_id")

	a := s.call(t, "POST", "/rules", body).want(t, 409)
	if a.str("code") != "rule_conflict" || a.str("errors.0.field") != "priority" ||
		a.str("errors.0.code") != "tie" ||
		a.str("errors.1") != "" ||
		!strings.Contains(a.str("errors.0.message"), "version 1 of rule "+id+" (camp)") {
		t.Errorf("tie: %s", a.text)
	}

	next := `{"rule_id":"` + id + `","name":"camp 2","event_type":"purchase","campaign_id":"c","currency":"USD","formula":{"kind":"flat","amount":"1.005"},"priority":3,"effective_from":"2026-02-01T00:00:00Z"}`
	if a := s.call(t, "POST", "/rules", next).want(t, 201); a.str("version") != "2" {
		t.Errorf("next version: %s", a.text)
	}

	if a := s.call(
		t,
		"GET",
		"/rules/"+id,
		"",
	).want(t, 200); a.str("versions.1.content.name") != "camp 2" {
		t.Errorf("versions: %s", a.text)
	}

	s.call(
		t,
		"POST",
		"/rules",
		`{"rule_id":"`+id+`","name":"other","event_type":"sale","formula":{"kind":"percentage","rate":1}}`,
	).want(t, 422)
	s.call(
		t,
		"POST",
		"/rules/"+id+"/retire",
		`{"reason":"over","retired_at":"2020-01-01T00:00:00Z"}`,
	).want(t, 422)
	s.call(t, "POST", "/rules/"+id+"/retire", `{"reason":"over"}`).want(t, 200)
	s.call(t, "POST", "/rules/"+id+"/retire", `{"reason":"over"}`).want(t, 409)
	s.call(t, "POST", "/rules", next).want(t, 409)
	s.call(t, "GET", "/rules/"+newID(), "").want(t, 404)
	page := s.call(t, "GET", "/rules?limit=3", "").want(t, 200)

	rest := s.call(t, "GET", "/rules?limit=10&cursor="+page.str("next_cursor"), "").want(t, 200)
	if len(page.body["data"].([]any)) != 3 || len(rest.body["data"].([]any)) != 4 {
		t.Errorf(
			"pages of %d and %d",
			len(page.body["data"].([]any)),
			len(rest.body["data"].([]any)),
		)
	}
}

// The length of names and reasons is counted in characters.
func TestTextsAreCountedInCharacters(t *testing.T) {
	t.Parallel()
	s := setup(t)
	rule := func(name string) string {
		return `{"name":"` + name + `","event_type":"sale","user_id":"u","formula":{"kind":"percentage","rate":1}}`
	}
	id := s.call(t, "POST", "/rules", rule(strings.Repeat("ß", 200))).want(t, 201).str("rule_id")
	s.call(t, "POST", "/rules", rule(strings.Repeat("ß", 201))).want(t, 422)
	s.call(
		t,
		"POST",
		"/rules/"+id+"/retire",
		`{"reason":"`+strings.Repeat("ß", 501)+`"}`,
	).want(t, 422)
	s.call(
		t,
		"POST",
		"/rules/"+id+"/retire",
		`{"reason":"`+strings.Repeat("ß", 500)+`"}`,
	).want(t, 200)
}

// programme stands for the zone that the programme has when a version is published.
func TestAVersionKeepsTheZoneOfTheProgramme(t *testing.T) {
	t.Parallel()

	s := setup(t)
	for i, c := range []struct{ zone, kept string }{
		{`"programme"`, "Europe/Berlin"},
		{`"America/New_York"`, "America/New_York"},
		{`"UTC"`, ""},
		{`""`, ""},
	} {
		body := fmt.Sprintf(`{"name":"x","event_type":"sale","currency":"USD","priority":%d,
			"formula":{"kind":"percentage","rate":1},"cap":{"amount":5,"period":"day"},"period_zone":%s}`, i+1, c.zone)

		id := s.call(t, "POST", "/rules", body).want(t, 201).str("rule_id")
		if a := s.call(t, "GET", "/rules/"+id, ""); a.str("versions.0.content.period_zone") != c.kept {
			t.Errorf("%s: %s", c.zone, a.text)
		}
	}
}

func TestBadRules(t *testing.T) {
	t.Parallel()

	s := setup(t)
	for body, field := range map[string]string{
		`{"name":"x","event_type":"refund","formula":{"kind":"percentage","rate":1}}`:                                                                             "event_type",
		`{"name":"x","event_type":"sale","formula":{"kind":"percentage"}}`:                                                                                        "formula.rate",
		`{"name":"x","event_type":"sale","formula":{"kind":"percentage","rate":-1}}`:                                                                              "formula.rate",
		`{"name":"x","event_type":"sale","formula":{"kind":"flat","amount":1}}`:                                                                                   "currency",
		`{"name":"x","event_type":"sale","currency":"USD","formula":{"kind":"flat","rate":1,"amount":1}}`:                                                         "formula.rate",
		`{"name":"x","event_type":"sale","currency":"USD","formula":{"kind":"graduated","period":"month","tiers":[{"from":1,"rate":1}]}}`:                         "formula.tiers",
		`{"name":"x","event_type":"sale","currency":"USD","formula":{"kind":"graduated","tiers":[{"from":0,"rate":1}]}}`:                                          "formula.period",
		`{"name":"x","event_type":"sale","currency":"USD","formula":{"kind":"all_units","period":"month","tiers":[{"from":0,"rate":1},{"from":5,"rate":0.5}]}}`:   "formula.tiers",
		`{"name":"x","event_type":"sale","currency":"USD","formula":{"kind":"percentage","rate":1},"cap":{"amount":0,"period":"day"}}`:                            "cap.amount",
		`{"name":"x","event_type":"sale","formula":{"kind":"percentage","rate":1},"effective_from":"2026-02-01T00:00:00Z","effective_to":"2026-01-01T00:00:00Z"}`: "effective_to",
		`{"name":" ","event_type":"sale","formula":{"kind":"percentage","rate":1}}`:                                                                               "name",
		`{"name":"x","event_type":"sale","formula":{"kind":"percentage","rate":1},"hold_days":-1}`:                                                                "hold_days",
		`{"name":"x","event_type":"sale","currency":"USD","formula":{"kind":"percentage","rate":1},"cap":{"amount":1,"period":"day"},"period_zone":"Mars/Base"}`:  "period_zone",
		`{"name":"x","event_type":"sale","currency":"USD","formula":{"kind":"percentage","rate":1},"cap":{"amount":1,"period":"day"},"period_zone":"Local"}`:      "period_zone",
		`{"name":"x","event_type":"sale","formula":{"kind":"percentage","rate":1},"period_zone":"programme"}`:                                                     "period_zone",
		`{"name":"x","event_type":"sale","currency":"JPY","formula":{"kind":"percentage","rate":1},"maximum":1.5}`:                                                "maximum",
	} {
		if a := s.call(t, "POST", "/rules", body); a.status != 422 ||
			a.str("errors.0.field") != field {
			t.Errorf("%s: %d %s, want %s", body, a.status, a.text, field)
		}
	}
}
