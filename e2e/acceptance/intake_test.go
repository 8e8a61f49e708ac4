package acceptance_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tributary/e2e/stacktest"
)

type batchAnswer struct {
	Results []struct {
		Index   int    `json:"index"`
		EventID string `json:"event_id"`
		Status  string `json:"status"`
		Error   *struct {
			Code   string            `json:"code"`
			Errors []stacktest.Fault `json:"errors"`
		} `json:"error"`
	} `json:"results"`
}

// statuses returns the statuses of the results, in order.
func (b batchAnswer) statuses() []string {
	var list []string
	for _, r := range b.Results {
		list = append(list, r.Status)
	}

	return list
}

// An invalid item does not affect the others, and every recorded event earns.
func TestBatch(t *testing.T) {
	t.Parallel()
	user, id := stacktest.Unique("user"), stacktest.Unique("event")
	item := func(more string) string { return `{"user_id": "` + user + `", ` + more + `}` }
	request := stacktest.Request{
		URL: stack.Tracking + eventsPath + "/batch",
		Body: `{"events": [` + strings.Join([]string{
			item(`"event_type": "click"`),
			item(`"event_type": "purchase"`), // without an amount
			item(
				`"event_type": "purchase", "event_id": "` + id + `", "metadata": {"amount": "30.00"}`,
			),
			item(
				`"event_type": "purchase", "event_id": "` + id + `", "metadata": {"amount": "30.00"}`,
			),
			item(
				`"event_type": "purchase", "event_id": "` + id + `", "metadata": {"amount": "31.00"}`,
			),
			item(`"event_type": "lead"`),
		}, ",") + `]}`,
	}

	var got batchAnswer

	answer := stacktest.Want(t, 200, request, &got)
	if diff := cmp.Diff(
		[]string{"recorded", "rejected", "recorded", "duplicate", "rejected", "recorded"},
		got.statuses(),
	); diff != "" {
		t.Fatalf("statuses differ:\n%s\nbody %s", diff, answer.Body)
	}

	refused, conflict := got.Results[1].Error, got.Results[4].Error
	if refused.Code != "validation_failed" || len(refused.Errors) != 1 ||
		refused.Errors[0].Field != "metadata.amount" ||
		conflict.Code != "event_id_conflict" {
		t.Errorf(
			"errors of items 1 and 4 = %s, want the missing amount and the conflict",
			answer.Body,
		)
	}

	for _, result := range []int{0, 2, 5} {
		decided(t, got.Results[result].EventID, 10*time.Second)
	}

	sum := int64(0)
	for _, row := range list(t, "?user_id="+user).Data {
		sum += row.AmountMinor
	}

	if sum != 320 {
		t.Errorf("commissions sum to %d, want 20 for the click and 300 for the purchase", sum)
	}
}

func TestBatchOfThousandAndOne(t *testing.T) {
	t.Parallel()
	one := `{"user_id": "u", "event_type": "lead"},`

	answer := stacktest.Do(
		t,
		stacktest.Request{
			URL:  stack.Tracking + eventsPath + "/batch",
			Body: `{"events": [` + strings.TrimSuffix(strings.Repeat(one, 1001), ",") + `]}`,
		},
	)
	if p := answer.Problem(t); p.Status != 422 || p.Code != "validation_failed" {
		t.Errorf("1001 events = %s, want 422 validation_failed", answer.Body)
	}
}

func TestCloudEvents(t *testing.T) {
	t.Parallel()
	user, id := stacktest.Unique("user"), stacktest.Unique("event")
	body := fmt.Sprintf(
		`{"specversion": "1.0", "id": %q, "source": "shop", "type": "tributary.tracking.purchase.v1", "subject": %q,
		"datacontenttype": "application/json", "data": {"metadata": {"amount": 12.50}}}`,
		id,
		user,
	)
	one := stacktest.Request{
		URL:         stack.Tracking + eventsPath,
		Body:        body,
		ContentType: "application/cloudevents+json",
	}

	var first recorded
	stacktest.Want(t, 201, one, &first)

	var again batchAnswer
	stacktest.Want(t, 200, stacktest.Request{
		URL:         stack.Tracking + eventsPath + "/batch",
		Body:        "[" + body + "]",
		ContentType: "application/cloudevents-batch+json; charset=utf-8",
	}, &again)

	if first.EventID != id || len(again.Results) != 1 || again.Results[0].Status != "duplicate" {
		t.Errorf(
			"answers %+v and %+v, want the event recorded under its own id and then a duplicate",
			first,
			again,
		)
	}

	decided(t, id, 10*time.Second)

	if rows := list(t, "?user_id="+user).Data; len(rows) != 1 || rows[0].Amount != "1.25" {
		t.Errorf("commissions %+v, want one of 1.25", rows)
	}
}

func TestIdempotencyKeyOfEvents(t *testing.T) {
	t.Parallel()
	user, key := stacktest.Unique("user"), map[string]string{
		"Idempotency-Key": stacktest.Unique("key"),
	}
	request := stacktest.Request{
		URL:    stack.Tracking + eventsPath,
		Body:   `{"user_id": "` + user + `", "event_type": "click"}`,
		Header: key,
	}

	var first, again recorded
	stacktest.Want(t, 201, request, &first)

	answer := stacktest.Want(t, 201, request, &again)
	if diff := cmp.Diff(first, again); diff != "" ||
		answer.Header.Get("Idempotency-Replayed") != "true" {
		t.Errorf(
			"the retry was answered with Idempotency-Replayed %q and differs:\n%s",
			answer.Header.Get("Idempotency-Replayed"),
			diff,
		)
	}

	request.Body = `{"user_id": "` + user + `", "event_type": "view"}`

	other := stacktest.Do(t, request)
	if p := other.Problem(t); p.Status != 422 || p.Code != "idempotency_key_reused" {
		t.Errorf("another body with the key = %s, want 422 idempotency_key_reused", other.Body)
	}
}

func TestTraceGoesThroughTheBroker(t *testing.T) {
	t.Parallel()

	const trace = "4bf92f3577b34da6a3ce929d0e0e4736"
	user := stacktest.Unique("user")
	header := map[string]string{"traceparent": "00-" + trace + "-00f067aa0ba902b7-01"}

	var event recorded
	stacktest.Want(
		t,
		201,
		stacktest.Request{
			URL:    stack.Tracking + eventsPath,
			Body:   `{"user_id": "` + user + `", "event_type": "click"}`,
			Header: header,
		},
		&event,
	)
	stacktest.Want(
		t,
		202,
		stacktest.Request{
			URL:    stack.BFF + asked()[0].path,
			Body:   asked()[0].body,
			Token:  stack.Token(t, user),
			Header: header,
		},
		nil,
	)
	decided(t, event.EventID, 10*time.Second)

	for _, topic := range []string{stacktest.TrackingEvents, stacktest.CampaignAccepts} {
		found := false
		for _, m := range stack.Messages(t, topic) {
			if m.Key != user {
				continue
			}

			found = true

			if !strings.Contains(m.Properties["traceparent"], trace) {
				t.Errorf(
					"message on %s has traceparent %q, want the caller's trace",
					topic,
					m.Properties["traceparent"],
				)
			}
		}

		if !found {
			t.Errorf("%s has no message of user %s", topic, user)
		}
	}
}
