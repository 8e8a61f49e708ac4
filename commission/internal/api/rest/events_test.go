package rest_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// follow reads the feed to its end and returns what it has, and the cursor to come back with.
func (s service) follow(t *testing.T, filter, cursor string) (events []map[string]any, next string) {
	t.Helper()

	for next = cursor; ; {
		path := "/events?limit=2" + filter
		if next != "" {
			path += "&cursor=" + url.QueryEscape(next)
		}

		page := s.call(t, "GET", path, "").want(t, 200)

		for _, e := range page.body["data"].([]any) {
			events = append(events, e.(map[string]any))
		}

		if next = page.str("next_cursor"); next == "" {
			t.Fatalf("%s has no cursor", path)
		}

		if page.str("has_more") == "false" {
			return events, next
		}
	}
}

// arrives follows the feed until it has as many events: transactions of other tests may delay them.
func (s service) arrives(t *testing.T, filter, cursor string, number int) ([]map[string]any, string) {
	t.Helper()

	var events []map[string]any

	deadline := time.Now().Add(time.Minute)
	for len(events) < number {
		more, next := s.follow(t, filter, cursor)
		events, cursor = append(events, more...), next

		if time.Now().After(deadline) {
			t.Fatalf("%d events, want %d", len(events), number)
		}
	}

	return events, cursor
}

func (s service) request(t *testing.T, user string, minor int64) string {
	t.Helper()

	id := newID()
	if _, err := s.payouts.Handle(t.Context(), request(id, user, minor)); err != nil {
		t.Fatal(err)
	}

	return id
}

func kinds(events []map[string]any) string {
	var out []string
	for _, e := range events {
		out = append(out, fmt.Sprint(e["user_id"], " ", e["sequence"], " ", e["type"]))
	}

	return strings.Join(out, ", ")
}

// The feed has a cursor even at its end, and goes on from there.
func TestTheFeedGoesOn(t *testing.T) {
	t.Parallel()
	s := setup(t)

	_, end := s.arrives(t, "", "", 5) // the first rules
	s.request(t, "u", 1)
	s.request(t, "v", 1)

	got, end := s.arrives(t, "", end, 2)
	if kinds(got) != "u 1 payout.rejected, v 1 payout.rejected" {
		t.Errorf("all: %s", kinds(got))
	}

	if more, _ := s.follow(t, "", end); len(more) > 0 {
		t.Errorf("again: %s", kinds(more))
	}

	own, end := s.arrives(t, "&user_id=v", "", 1)
	if kinds(own) != "v 1 payout.rejected" {
		t.Errorf("of v: %s", kinds(own))
	}

	s.request(t, "v", 2)

	if own, _ = s.arrives(t, "&user_id=v", end, 1); kinds(own) != "v 2 payout.rejected" {
		t.Errorf("of v: %s", kinds(own))
	}

	if rules, _ := s.arrives(t, "&type=rule.retired,rule.published", "", 5); kinds(rules) !=
		strings.TrimSuffix(strings.Repeat("<nil> 1 rule.published, ", 5), ", ") {
		t.Errorf("rules: %s", kinds(rules))
	}

	s.call(t, "GET", "/events?type=rule.burnt", "").want(t, 422)
	s.call(t, "GET", "/events?wait=31s", "").want(t, 422)
	s.call(t, "GET", "/events?user_id=v&cursor="+url.QueryEscape(end)+"x", "").want(t, 400)
}

// A partner reads its own events, without who caused them.
func TestTheFeedOfAPartner(t *testing.T) {
	t.Parallel()
	s := secured(t)
	s.decide(t, purchase("e1", "u", "100"))

	boss := s
	boss.token = tokenOf(t, "olga", "admin")
	s.token = tokenOf(t, "u", "partner")

	id := s.request(t, "u", 500)
	s.request(t, "v", 1)
	boss.call(t, "POST", "/payouts/"+id+"/fail", `{"reason":"whispered"}`).want(t, 200)

	got, _ := s.arrives(t, "", "", 2)
	for _, e := range got {
		if text := fmt.Sprint(e); e["user_id"] != "u" || strings.Contains(text, "olga") ||
			strings.Contains(text, "whispered") || strings.Contains(text, "example.com") {
			t.Errorf("a partner reads %s", text)
		}
	}

	s.call(t, "GET", "/events?user_id=v", "").want(t, 403)

	all, _ := boss.arrives(t, "&type=payout.failed", "", 1)
	if cause := all[0]["caused_by"].(map[string]any); cause["actor"] != "olga" {
		t.Errorf("an operator reads %v", cause)
	}
}

// Whoever waits is answered as soon as there is an event for them, and not before.
func TestTheFeedWaits(t *testing.T) {
	t.Parallel()
	s := setup(t)

	_, end := s.arrives(t, "", "", 5)

	type answered struct {
		who string
		answer
	}

	answers := make(chan answered, 3)

	var waiting sync.WaitGroup
	for who, path := range map[string]string{
		"all":    "/events?wait=30s&cursor=" + url.QueryEscape(end),
		"u":      "/events?wait=30s&user_id=u",
		"nobody": "/events?wait=1s&user_id=nobody",
	} {
		waiting.Go(func() { answers <- answered{who, s.call(t, "GET", path, "")} })
	}

	s.request(t, "u", 1)
	waiting.Wait()
	close(answers)

	for a := range answers {
		a.want(t, 200)

		want := "u"
		if a.who == "nobody" {
			want = ""
		}

		if got := a.str("data.0.user_id"); got != want || a.str("next_cursor") == "" {
			t.Errorf("%s: %s", a.who, a.text)
		}
	}
}

// Beyond the room for those who wait, the answer is clear and comes at once.
func TestTooManyWait(t *testing.T) {
	t.Parallel()
	s := setup(t)

	const requests = 1000

	var (
		served, refused atomic.Int64
		all             sync.WaitGroup
	)

	for range requests {
		all.Go(func() {
			a := s.call(t, "GET", "/events?wait=2s&user_id=nobody", "")

			switch a.status {
			case http.StatusOK:
				served.Add(1)
			case http.StatusServiceUnavailable:
				if a.str("code") == "feed_no_room" && a.header.Get("Retry-After") != "" {
					refused.Add(1)
				}
			}
		})
	}

	all.Wait()

	if served.Load()+refused.Load() != requests || served.Load() == 0 || refused.Load() == 0 {
		t.Errorf("%d served, %d refused of %d", served.Load(), refused.Load(), requests)
	}
}
