package rest_test

import (
	"strings"
	"testing"

	"tributary/contracts/eventtype"
)

// users returns the users of a page of a summary.
func users(a answer) string {
	var list []string
	for _, row := range a.body["data"].([]any) {
		list = append(list, row.(map[string]any)["user_id"].(string))
	}

	return strings.Join(list, " ")
}

// Groups that appear or disappear between two pages neither repeat a group nor hide one.
func TestSummaryPagesWhileGroupsComeAndGo(t *testing.T) {
	t.Parallel()

	for name, tt := range map[string]struct {
		come, gone []string
		next, last string
	}{
		"nothing changes":                  {nil, nil, "f h", "j"},
		"groups come before the place":     {[]string{"a", "c"}, nil, "f h", "j"},
		"a group comes behind the place":   {[]string{"e"}, nil, "e f", "h j"},
		"groups go before the place":       {nil, []string{"b", "d"}, "f h", "j"},
		"a group goes behind the place":    {nil, []string{"f"}, "h j", ""},
		"one comes and another one goes":   {[]string{"a", "g"}, []string{"b"}, "f g", "h j"},
		"the group of the cursor is there": {[]string{"d"}, nil, "f h", "j"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := setup(t)
			s.call(
				t,
				"POST",
				"/rules",
				`{"name":"held","event_type":"purchase","formula":{"kind":"percentage","rate":"0.1"},"hold_days":30,"priority":1,"effective_from":"2026-01-01T00:00:00Z"}`,
			).want(t, 201)

			for _, user := range []string{"b", "d", "f", "h", "j"} {
				s.decide(t, purchase("first-"+user, user, "10"))
			}

			page := s.call(t, "GET", "/summary?group_by=user_id&limit=2", "").want(t, 200)
			if users(page) != "b d" || page.str("has_more") != "true" {
				t.Fatalf("first page: %s", page.text)
			}

			for _, user := range tt.come {
				s.decide(t, purchase("second-"+user, user, "10"))
			}

			for _, user := range tt.gone {
				id := s.call(t, "GET", "/commissions?user_id="+user, "").str("data.0.id")
				s.call(t, "POST", "/commissions/"+id+"/reject", `{"reason":"fraud"}`).want(t, 200)
			}

			page = s.call(
				t,
				"GET",
				"/summary?group_by=user_id&limit=2&cursor="+page.str("next_cursor"),
				"",
			).want(t, 200)
			if users(page) != tt.next || (page.str("has_more") == "true") != (tt.last != "") {
				t.Fatalf("second page: %s", page.text)
			}

			if tt.last == "" {
				return
			}

			page = s.call(
				t,
				"GET",
				"/summary?group_by=user_id&limit=2&cursor="+page.str("next_cursor"),
				"",
			).want(t, 200)
			if users(page) != tt.last || page.str("has_more") != "false" {
				t.Errorf("third page: %s", page.text)
			}
		})
	}
}

// The pages of a summary together equal the whole, whatever the dimensions and the texts; the
// longest ids fit into a cursor.
func TestSummaryPagesAreItsParts(t *testing.T) {
	t.Parallel()
	s := setup(t)

	longest := strings.Repeat("\U0001F600", 128)
	for i, user := range []string{"B", "a", "ä", "Ä", "b", `"`, "a b", longest, "Z"} {
		for j, campaign := range []string{"", "c", "C", longest} {
			p := purchase(strings.Repeat("x", 1+i)+strings.Repeat("y", j), user, "10")
			p.CampaignID, p.OccurredAt = campaign, start().AddDate(0, 0, -j%2)
			click := p
			click.ID = "click" + p.ID
			click.Type = eventtype.Click
			click.Amount = ""
			s.decide(t, p, click)
		}
	}

	for _, dimensions := range []string{"currency", "user_id", "currency,user_id", "user_id,campaign_id,event_type,status,day", "day,campaign_id"} {
		path := "/summary?tz=Europe/Berlin&group_by=" + dimensions
		whole := s.call(t, "GET", path, "").want(t, 200)

		var pages []string
		for cursor, more := "", true; more; {
			page := s.call(t, "GET", path+"&limit=1&cursor="+cursor, "").want(t, 200)
			pages = append(
				pages,
				strings.TrimSuffix(
					strings.TrimPrefix(
						page.text[:strings.Index(page.text, `,"has_more"`)],
						`{"data":[`,
					),
					"]",
				),
			)
			cursor, more = page.str("next_cursor"), page.str("has_more") == "true"
		}

		if want := `{"data":[` + strings.Join(
			pages,
			",",
		) + `],"has_more":false}`; whole.text != want {
			t.Errorf("%s: in one piece %s, in pages %s", dimensions, whole.text, want)
		}
	}
}

// A cursor belongs to its question: to the list, its filters and its grouping.
func TestACursorIsGoodForItsQuestionOnly(t *testing.T) {
	t.Parallel()
	s := setup(t)
	s.decide(
		t,
		purchase("e1", "u", "10"),
		purchase("e2", "v", "10"),
		purchase("e3", "u", "10"),
		purchase("e4", "v", "10"),
	)

	next := func(path string) string {
		cursor := s.call(t, "GET", path+"&limit=1", "").want(t, 200).str("next_cursor")
		if cursor == "" {
			t.Fatalf("%s has no second page", path)
		}

		return cursor
	}

	byUser := next("/summary?group_by=user_id")
	ofU := next("/commissions?user_id=u")
	rules := next("/rules?")

	for path, cursor := range map[string]string{
		"/summary?group_by=user_id&limit=7": byUser,
		"/commissions?user_id=u&limit=1000": ofU,
		"/commissions?limit=2&user_id=u":    ofU,
		"/rules?limit=3":                    rules,
	} {
		s.call(t, "GET", path+"&cursor="+cursor, "").want(t, 200)
	}

	for path, cursor := range map[string]string{
		"/summary?group_by=day":                                     byUser,
		"/summary?group_by=user_id&tz=Europe/Berlin":                byUser,
		"/summary?group_by=user_id&campaign_id=c":                   byUser,
		"/commissions?user_id=v":                                    ofU,
		"/commissions?limit=1":                                      ofU,
		"/commissions?user_id=u&status=pending":                     ofU,
		"/payouts?user_id=u":                                        ofU,
		"/rules?event_type=sale":                                    rules,
		"/commissions?event_type=sale":                              rules,
		"/commissions?user_id=u&occurred_from=2026-01-01T00:00:00Z": ofU,
	} {
		if a := s.call(t, "GET", path+"&cursor="+cursor, ""); a.status != 400 ||
			a.str("code") != "cursor_invalid" {
			t.Errorf("%s: %d %s", path, a.status, a.text)
		}
	}
}
