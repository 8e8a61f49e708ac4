package faults_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"testing"

	"tributary/e2e/stacktest"
)

// changeEvent is an event of commission, with what it is about by kind.
type changeEvent struct {
	ID       string                    `json:"id"`
	Sequence int                       `json:"sequence"`
	UserID   string                    `json:"user_id"`
	Data     map[string]map[string]any `json:"data"`
}

// Commission, its relay with it, and the broker are killed while events come in. Whoever folds the
// feed or the topic afterwards has the rows of the API: no event is missing, none is out of order,
// and one that comes again has the same id.
//
//nolint:paralleltest // it kills the services that all tests share
func TestTheFoldSurvivesKills(t *testing.T) {
	user := stacktest.Unique("user")
	load := purchases(t, user)
	load.goesOn(t, 50)

	for _, name := range []string{"commission", "pulsar", "commission"} {
		stop(t, stack.Parts.Kill, name)
		load.goesOn(t, 50)
		start(t, name)
		ready(t, stack.Commission, stacktest.Patience)
		load.goesOn(t, 50)
	}

	checkDecided(t, user, load)

	feed := feedOf(t, user)
	rows := listed(t, user)

	folded, err := foldOf(feed)
	if err != nil || len(folded) != len(rows) {
		t.Fatalf("the feed: %d commissions, want %d: %v", len(folded), len(rows), err)
	}

	for id, commission := range folded {
		for name, value := range commission {
			if want := rows[id][name]; name != "reason" && !reflect.DeepEqual(value, want) {
				t.Errorf("commission %s: %s = %v in events, %v in the list", id, name, value, want)
			}
		}
	}

	var published []changeEvent

	stacktest.Await(t, stacktest.Patience, "all events on the topic", func(context.Context) error {
		published = publishedOf(t, user) //nolint:contextcheck // the reader ends with the test

		again, err := foldOf(published)
		if err == nil && !reflect.DeepEqual(again, folded) {
			err = errors.New("the topic's fold is not the feed's")
		}

		return err
	})
	t.Logf("%d events in the feed, %d messages of them", len(feed), len(published))
}

// foldOf returns the last state of each commission. It fails for a gap, for an event out of order,
// and for two events with one number.
func foldOf(events []changeEvent) (map[string]map[string]any, error) {
	folded := map[string]map[string]any{}
	ids := []string{""} // by sequence

	for _, e := range events {
		switch {
		case e.Sequence > len(ids):
			return nil, fmt.Errorf("event %d follows %d", e.Sequence, len(ids)-1)
		case e.Sequence < len(ids) && ids[e.Sequence] == e.ID:
			continue // it comes again
		case e.Sequence < len(ids):
			return nil, fmt.Errorf("event %d is %s, and %s", e.Sequence, ids[e.Sequence], e.ID)
		}

		ids = append(ids, e.ID)

		if c, found := e.Data["commission"]; found {
			id, _ := c["id"].(string)
			folded[id] = c
		}
	}

	return folded, nil
}

// feedOf reads the feed of a user to its end.
func feedOf(t *testing.T, user string) []changeEvent {
	t.Helper()

	var all []changeEvent

	for cursor := ""; ; {
		var page struct {
			Data       []changeEvent `json:"data"`
			HasMore    bool          `json:"has_more"`
			NextCursor string        `json:"next_cursor"`
		}
		stacktest.Want(t, 200, stacktest.Request{
			URL: stack.Commission + "/api/v1/commission/events?limit=100&user_id=" + user + cursor,
		}, &page)

		all = append(all, page.Data...)
		if !page.HasMore {
			return all
		}

		cursor = "&cursor=" + page.NextCursor
	}
}

// publishedOf reads the topic's events of a user.
func publishedOf(t *testing.T, user string) []changeEvent {
	t.Helper()

	var all []changeEvent

	for _, message := range stack.Messages(t, "commission-events") {
		var e changeEvent
		if err := json.Unmarshal([]byte(message.Payload), &e); err != nil {
			t.Fatal(err)
		}

		if e.UserID == user {
			all = append(all, e)
		}
	}

	return all
}

// listed returns the user's commissions as the list has them, by id.
func listed(t *testing.T, user string) map[string]map[string]any {
	t.Helper()

	all := map[string]map[string]any{}

	for cursor := ""; ; {
		var page struct {
			Data       []map[string]any `json:"data"`
			HasMore    bool             `json:"has_more"`
			NextCursor string           `json:"next_cursor"`
		}
		stacktest.Want(t, 200, stacktest.Request{
			URL: stack.Commission + "/api/v1/commission/commissions?limit=1000&user_id=" + user + cursor,
		}, &page)

		for _, row := range page.Data {
			id, _ := row["id"].(string)
			all[id] = row
		}

		if !page.HasMore {
			return all
		}

		cursor = "&cursor=" + page.NextCursor
	}
}
