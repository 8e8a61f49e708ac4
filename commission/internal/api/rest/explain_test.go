package rest_test

import (
	urlpath "path"
	"strings"
	"testing"
	"time"

	"tributary/commission/internal/api/wire"
	"tributary/commission/internal/domain/event"
	"tributary/contracts/eventtype"
	"tributary/platform/strictjson"
)

const november = `"from":"2026-11-01T00:00:00Z","to":"2026-12-01T00:00:00Z"`

// adjustment explains the newest adjustment other than the given ones.
func (s service) adjustment(t *testing.T, but string) (answer, wire.Explanation) {
	t.Helper()
	id := s.call(
		t,
		"GET",
		"/commissions?kind=adjustment",
		"",
	).want(t, 200).str("data." + but + ".id")
	a := s.call(t, "GET", "/commissions/"+id+"/explain", "").want(t, 200)

	var x wire.Explanation
	if err := strictjson.Unmarshal([]byte(a.text), &x); err != nil {
		t.Fatalf("%v in %s", err, a.text)
	}

	return a, x
}

// later advances the clock, so that later events can be distinguished from earlier ones.
func (s service) later() { s.now.Add(time.Second.Microseconds()) }

func TestAdjustmentByHandIsExplained(t *testing.T) {
	t.Parallel()
	s := setup(t)
	s.call(
		t,
		"POST",
		"/adjustments",
		`{"user_id":"u","amount":-12.5,"currency":"USD","reason":"paid twice"}`,
	).want(t, 201)

	a, x := s.adjustment(t, "0")
	for path, want := range map[string]string{
		"amount": "-12.50", "amount_minor": "-1250", "currency": "USD", "verified": "false", "adjustment.origin": "hand", "adjustment.actor": "anonymous",
		"adjustment.reason": "paid twice", "adjustment.at": "2026-11-23T12:00:00Z", "adjustment.comparison": "", "history.0.action": "adjust", "history.0.reason": "paid twice",
	} {
		if got := a.str(path); got != want {
			t.Errorf("%s is %q, want %q", path, got, want)
		}
	}

	if _, _, err := x.CheckAdjustment(); err == nil || !strings.Contains(err.Error(), "by an operator") ||
		a.str("not_computed") != err.Error() {
		t.Errorf("made again: %v from %s", err, a.text)
	}
}

// Each replay is explained by the rules that it used and by what was posted then, whatever happened
// afterwards.
func TestAdjustmentByReplayIsExplained(t *testing.T) {
	t.Parallel()
	s := setup(t)
	s.decide(
		t,
		purchase("e1", "u", "100"),
		event.Snapshot{ID: "r1", UserID: "u", Type: eventtype.Refund, OriginalID: "e1", Amount: "30"},
	)
	rule := s.call(
		t,
		"POST",
		"/rules",
		`{"name":"better","event_type":"purchase","user_id":"u","formula":{"kind":"percentage","rate":"0.2"},"effective_from":"2026-01-01T00:00:00Z"}`,
	).want(t, 201).str("rule_id")
	s.later()
	replayed := urlpath.Base(s.call(t, "POST", "/replays", "{"+november+`,"reason":"agreed in March"}`).
		want(t, 200).header.Get("Location"))
	first := func(but string) {
		t.Helper()

		a, x := s.adjustment(t, but)
		for member, want := range map[string]string{
			"event.event_id": "e1", "amount": "7.00", "amount_minor": "700", "currency": "USD", "verified": "true", "not_computed": "",
			"adjustment.origin": "replay", "adjustment.actor": "anonymous", "adjustment.reason": "agreed in March", "adjustment.replay": replayed,
			"adjustment.comparison.booked_before": "7.00", "adjustment.comparison.booked.0.amount": "10.00", "adjustment.comparison.booked.1.kind": "clawback", "adjustment.comparison.booked.2": "",
			"adjustment.comparison.expected": "14.00", "adjustment.comparison.difference": "7.00", "adjustment.comparison.decisions.0.rule_id": rule,
			"adjustment.comparison.decisions.0.steps.0.calculation": "100.00 × 0.2", "adjustment.comparison.decisions.1.steps.4.calculation": "14.00 − 20.00",
			"history.0.action": "replay", "history.0.reason": "agreed in March",
		} {
			if got := a.str(member); got != want {
				t.Errorf("%s is %q, want %q", member, got, want)
			}
		}

		if minor, lines, err := x.CheckAdjustment(); minor != 700 || len(lines) > 0 || err != nil {
			t.Errorf("made again: %d, %v, %v from %s", minor, lines, err, a.text)
		}
	}
	first("0")
	s.later()
	s.call(
		t,
		"POST",
		"/rules",
		`{"rule_id":"`+rule+`","name":"worse","event_type":"purchase","user_id":"u","formula":{"kind":"percentage","rate":"0.05"},"effective_from":"2026-01-01T00:00:00Z"}`,
	).want(t, 201)
	first("0")
	s.later()
	s.call(t, "POST", "/replays", "{"+november+`,"reason":"another mistake"}`).want(t, 200)

	a, x := s.adjustment(t, "0")
	if a.str("amount") != "-10.50" || a.str("verified") != "true" ||
		a.str("adjustment.comparison.booked.2.amount") != "7.00" ||
		a.str("adjustment.comparison.expected") != "3.50" ||
		a.str("history.0.reason") != "another mistake" {
		t.Errorf("the second: %s", a.text)
	}

	first("1")

	for name, alter := range map[string]func(*wire.Explanation){
		"amount_minor":               func(x *wire.Explanation) { x.Minor++ },
		"expected_minor":             func(x *wire.Explanation) { x.Adjustment.Comparison.ExpectedMinor++ },
		"booked_before_minor":        func(x *wire.Explanation) { x.Adjustment.Comparison.Posted[0].AmountMinor++ },
		"decisions.0.amount_minor":   func(x *wire.Explanation) { x.Adjustment.Comparison.Decisions[0].Minor++ },
		"decisions.1.rule_version":   func(x *wire.Explanation) { x.Adjustment.Comparison.Decisions[1].Version++ },
		"currency: is not an active": func(x *wire.Explanation) { x.Currency = "XXX" },
	} {
		_, altered := s.adjustment(t, "0")
		alter(&altered)

		if _, lines, err := altered.CheckAdjustment(); err != nil ||
			!strings.Contains(strings.Join(lines, "\n"), name) {
			t.Errorf("%s: %q, %v", name, lines, err)
		}
	}

	if _, lines, err := x.CheckAdjustment(); len(lines) > 0 || err != nil {
		t.Errorf("made again: %v, %v", lines, err)
	}
}

// Tiers depend on all earlier sales of the user, and a late sale moves those after it.
func TestAdjustmentByReplayOfTiersIsExplained(t *testing.T) {
	t.Parallel()
	s := setup(t)
	s.call(
		t,
		"POST",
		"/rules",
		`{"name":"tiers","event_type":"purchase","currency":"USD","formula":{"kind":"graduated","period":"month","tiers":[{"from":0,"rate":"0.05"},{"from":100,"rate":"0.1"}]},"effective_from":"2026-01-01T00:00:00Z","priority":5}`,
	).want(t, 201)
	late := purchase("late", "u", "80")
	late.OccurredAt = start().AddDate(0, 0, -3)
	s.decide(t, purchase("e1", "u", "100"), purchase("e2", "u", "5"), late)
	s.later()
	s.call(t, "POST", "/replays", "{"+november+"}").want(t, 200)

	for but, want := range map[string]string{"0": "4.00", "1": "-4.00"} {
		// e1 begins at 80 instead of 0, and late at 0 instead of 105
		a, x := s.adjustment(t, but)
		if _, lines, err := x.CheckAdjustment(); a.str("amount") != want ||
			a.str("verified") != "true" ||
			len(lines) > 0 ||
			err != nil {
			t.Errorf("%s: %v, %v from %s", want, lines, err, a.text)
		}
	}
}

// A commission that is rejected later had been posted before.
func TestAdjustmentOfWhatIsRejectedLaterIsExplained(t *testing.T) {
	t.Parallel()
	s := setup(t)
	publish := func(rate, id string) string {
		return s.call(
			t,
			"POST",
			"/rules",
			`{`+id+`"name":"held","event_type":"purchase","user_id":"u","formula":{"kind":"percentage","rate":"`+rate+`"},"hold_days":30,"effective_from":"2026-01-01T00:00:00Z"}`,
		).want(t, 201).str("rule_id")
	}
	rule := publish("0.1", "")
	s.decide(t, purchase("e1", "u", "100"))
	s.later()
	publish("0.2", `"rule_id":"`+rule+`",`)
	s.later()
	s.call(t, "POST", "/replays", "{"+november+"}").want(t, 200)
	s.later()
	earning := s.call(t, "GET", "/commissions?kind=earning", "").str("data.0.id")
	s.call(t, "POST", "/commissions/"+earning+"/reject", `{"reason":"fraud"}`).want(t, 200)

	if a, _ := s.adjustment(t, "0"); a.str("amount") != "10.00" || a.str("verified") != "true" ||
		a.str("adjustment.comparison.booked_before") != "10.00" {
		t.Errorf("%s", a.text)
	}
}
