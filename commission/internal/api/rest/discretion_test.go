package rest_test

import (
	"slices"
	"strings"
	"testing"

	"tributary/commission/internal/api/wire"
	"tributary/commission/internal/domain/event"
	"tributary/contracts/eventtype"
	"tributary/platform/strictjson"
)

// No answer to a partner contains the notes or names of the staff, or rules that cannot apply to
// its events; what the partner reads is enough to recompute each decision.
func TestPartnersReadNothingInternal(t *testing.T) {
	t.Parallel()
	s := secured(t)
	boss := s
	boss.token = tokenOf(t, "olga", "admin")

	const about = `"event_type":"purchase","formula":{"kind":"percentage","rate":"0.5"},`
	for name, body := range map[string]string{
		"foreign-campaign": about + `"campaign_id":"other","effective_from":"2026-01-01T00:00:00Z"`,
		"foreign-product":  about + `"product_id":"other","effective_from":"2026-01-01T00:00:00Z"`,
		"foreign-user":     about + `"user_id":"v","effective_from":"2026-01-01T00:00:00Z"`,
		"future":           about + `"priority":8,"effective_from":"2030-01-01T00:00:00Z"`,
		"past": about + `"priority":9,"effective_from":"2026-01-01T00:00:00Z",` +
			`"effective_to":"2026-02-01T00:00:00Z"`,
		"held": `"event_type":"purchase","formula":{"kind":"percentage","rate":"0.1"},` +
			`"user_id":"u","hold_days":30,"effective_from":"2026-01-01T00:00:00Z"`,
	} {
		boss.call(t, "POST", "/rules", `{"name":"`+name+`",`+body+`}`).want(t, 201)
	}

	s.decide(
		t,
		purchase("e1", "u", "100"),
		purchase("e2", "u", "50"),
		event.Snapshot{ID: "r1", UserID: "u", Type: eventtype.Refund, OriginalID: "e1", Amount: "30"},
	)

	earned := boss.call(t, "GET", "/commissions?kind=earning", "").want(t, 200)
	for i, action := range []string{"hold", "reject"} {
		boss.call(
			t,
			"POST",
			"/commissions/"+earned.str("data."+string(rune('0'+i))+".id")+"/"+action,
			`{"reason":"whispered `+action+`"}`,
		).want(t, 200)
	}

	boss.call(t, "POST", "/adjustments",
		`{"user_id":"u","amount":"20","currency":"USD","reason":"whispered gift"}`).want(t, 201)
	boss.call(t, "POST", "/rules", `{"name":"mine","event_type":"purchase","user_id":"u",`+
		`"formula":{"kind":"percentage","rate":"0.2"},"priority":1,`+
		`"effective_from":"2026-01-01T00:00:00Z"}`).want(t, 201)
	s.later()
	boss.call(t, "POST", "/replays", "{"+november+`,"reason":"whispered replay"}`).want(t, 200)

	failed, rejected := newID(), newID()
	for id, minor := range map[string]int64{failed: 100, rejected: 999999} {
		if _, err := s.payouts.Handle(t.Context(), request(id, "u", minor)); err != nil {
			t.Fatal(err)
		}
	}

	boss.call(t, "POST", "/payouts/"+failed+"/fail", `{"reason":"whispered failure"}`).want(t, 200)

	s.token = tokenOf(t, "u", "partner")
	texts := s.everythingOf(t, []string{"e1", "e2", "r1"}, []string{failed, rejected})
	internal := []string{"olga", "whispered", "foreign-", "future", `"past"`}

	for path, text := range texts {
		for _, word := range internal {
			if strings.Contains(text, word) {
				t.Errorf("%s holds %q: %s", path, word, text)
			}
		}

		if strings.HasSuffix(path, "/explain") {
			madeAgain(t, path, text)
		}
	}

	if text := texts["/payouts/"+rejected]; !strings.Contains(text, "balance") {
		t.Errorf("no reason for the rejection: %s", text)
	}

	all := strings.Join(slices.Collect(func(yield func(string) bool) {
		for _, text := range boss.everythingOf(t, []string{"e1"}, []string{failed}) {
			if !yield(text) {
				return
			}
		}
	}), "\n")
	for _, word := range internal {
		if word != "foreign-" && !strings.Contains(all, word) {
			t.Errorf("an operator does not read %q", word)
		}
	}
}

// everythingOf returns each answer about the user's commissions, decisions and payouts by its path.
func (s service) everythingOf(t *testing.T, events, payouts []string) map[string]string {
	t.Helper()

	texts := map[string]string{}
	read := func(path string, headers ...string) answer {
		a := s.call(t, "GET", path, "", headers...).want(t, 200)
		texts[path] += a.text

		return a
	}

	list := read("/commissions")
	read("/commissions", "Accept", "text/csv")
	read("/payouts")
	read("/events?limit=1000")

	for i := range list.body["data"].([]any) {
		path := "/commissions/" + list.str("data."+string(rune('0'+i))+".id")
		read(path)
		read(path + "/explain")
	}

	for _, id := range events {
		read("/decisions/" + id)
		read("/decisions/" + id + "/explain")
	}

	for _, id := range payouts {
		read("/payouts/" + id)
	}

	return texts
}

// madeAgain recomputes the decision of an explanation offline.
func madeAgain(t *testing.T, path, text string) {
	t.Helper()

	var x wire.Explanation
	if err := strictjson.Unmarshal([]byte(text), &x); err != nil {
		t.Fatalf("%s: %v", path, err)
	}

	var (
		differences []string
		err         error
	)
	switch {
	case x.Adjustment == nil:
		_, differences, err = x.Check()
	case x.NotAgain == "":
		_, differences, err = x.CheckAdjustment()
	}

	if err != nil || len(differences) > 0 {
		t.Errorf("%s made again: %v, %v: %s", path, err, differences, text)
	}
}
