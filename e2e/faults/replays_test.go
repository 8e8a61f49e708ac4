package faults_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"tributary/e2e/stacktest"
)

type replayAnswer struct {
	ID              string `json:"id"`
	Status          string `json:"status"`
	TotalUsers      int64  `json:"total_users"`
	Users           int64  `json:"users"`
	DifferenceCount int64  `json:"difference_count"`
}

const replays = "/api/v1/commission/replays"

// replayed waits until the replay is as wanted, and returns it.
func replayed(t *testing.T, id, what string, is func(replayAnswer) bool) (found replayAnswer) {
	t.Helper()
	stacktest.Await(t, stacktest.Patience, what, func(ctx context.Context) error {
		answer, err := stacktest.Send(ctx, stacktest.Request{URL: stack.Commission + replays + "/" + id})
		if err != nil {
			return err
		}

		if answer.Status != http.StatusOK {
			return fmt.Errorf("answer %d %s", answer.Status, answer.Body)
		}

		answer.JSON(t, &found)

		if found.Status == "failed" || !is(found) {
			return errors.New(answer.Body)
		}

		return nil
	})

	return found
}

// A replay of 60,000 sales goes on when commission was killed while it ran: each sale has its
// adjustment, and none has two.
//
//nolint:paralleltest // it kills a process of the one stack
func TestAReplayGoesOnAfterAKill(t *testing.T) {
	const users, each = 600, 100

	campaign := stacktest.Unique("replayed")
	occurred := time.Now().UTC().Add(-time.Hour).Truncate(time.Second)

	for first := 0; first < users*each; first += 1000 {
		var events []string
		for n := first; n < first+1000; n++ {
			events = append(events, fmt.Sprintf(
				`{"user_id":"%s-%d","event_type":"purchase","campaign_id":%q,"occurred_at":%q,`+
					`"metadata":{"amount":100.00}}`,
				campaign, n%users, campaign, occurred.Format(time.RFC3339),
			))
		}

		stacktest.Want(t, http.StatusOK, stacktest.Request{
			URL:  stack.Tracking + "/api/v1/tracking/events/batch",
			Body: `{"events":[` + strings.Join(events, ",") + `]}`,
		}, nil)
	}

	counted := func(what, sql string, want int64) {
		t.Helper()
		stacktest.Await(t, stacktest.Patience, what, func(ctx context.Context) error {
			n, err := stacktest.Count(ctx, stack.CommissionDB, sql, campaign)
			if err == nil && n != want {
				err = fmt.Errorf("%d of %d", n, want)
			}

			return err
		})
	}

	counted("decisions", "SELECT count(*) FROM decisions WHERE campaign_id = $1", users*each)

	stacktest.Want(t, http.StatusCreated, stacktest.Request{
		URL: stack.Commission + "/api/v1/commission/rules",
		Body: fmt.Sprintf(`{"name":"better","event_type":"purchase","campaign_id":%q,`+
			`"formula":{"kind":"percentage","rate":"0.2"},"effective_from":"2026-01-01T00:00:00Z"}`, campaign),
	}, nil)

	period := fmt.Sprintf(
		`{"from":%q,"to":%q}`,
		occurred.Format(time.RFC3339),
		occurred.Add(time.Second).Format(time.RFC3339),
	)

	var accepted replayAnswer

	stacktest.Want(t, http.StatusAccepted, stacktest.Request{
		URL:  stack.Commission + replays,
		Body: period,
	}, &accepted)

	before := replayed(t, accepted.ID, "the first users", func(r replayAnswer) bool { return r.Users > 0 })
	if before.Status != "running" {
		t.Fatalf("it was over before the kill: %+v", before)
	}

	stop(t, stack.Parts.Kill, "commission")
	start(t, "commission")

	done := replayed(t, accepted.ID, "the end", func(r replayAnswer) bool { return r.Status == "completed" })
	t.Logf("killed at %d of %d users", before.Users, before.TotalUsers)

	if done.Users != users || done.DifferenceCount != users*each {
		t.Errorf("the replay: %+v", done)
	}

	counted("adjustments", `SELECT count(*) FROM commissions WHERE campaign_id = $1
    AND kind = 'adjustment' AND amount_minor = 1000`, users*each)
	counted("all commissions", `SELECT count(*) FROM commissions WHERE campaign_id = $1`, 2*users*each)

	var again replayAnswer

	stacktest.Want(t, http.StatusAccepted, stacktest.Request{
		URL:  stack.Commission + replays,
		Body: period,
	}, &again)

	if last := replayed(t, again.ID, "another one", func(r replayAnswer) bool {
		return r.Status == "completed"
	}); last.DifferenceCount != 0 {
		t.Errorf("another one: %+v", last)
	}
}
