package acceptance_test

import (
	"fmt"
	"maps"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tributary/e2e/stacktest"
)

// A hundred identical concurrent requests are one event everywhere: one row, one message, one
// commission.
func TestAHundredIdenticalRequestsAtOnce(t *testing.T) {
	t.Parallel()
	user, id := stacktest.Unique("user"), stacktest.Unique("event")
	request := stacktest.Request{
		URL: stack.Tracking + eventsPath,
		Body: fmt.Sprintf(
			`{"event_id": %q, "user_id": %q, "event_type": "purchase", "metadata": {"amount": "30.00"}}`,
			id,
			user,
		),
	}
	statuses := make([]int, 100)
	begin := make(chan struct{})

	var sending sync.WaitGroup
	for i := range statuses {
		sending.Go(func() {
			<-begin

			answer, err := stacktest.Send(t.Context(), request)
			if err != nil {
				t.Error(err)
			}

			statuses[i] = answer.Status
		})
	}

	close(begin)
	sending.Wait()

	counts := map[int]int{}
	for _, status := range statuses {
		counts[status]++
	}

	if want := map[int]int{201: 1, 200: 99}; !maps.Equal(counts, want) {
		t.Errorf("answers %v, want %v", counts, want)
	}

	decided(t, id, 10*time.Second)

	if n, err := stacktest.Count(t.Context(), stack.TrackingDB, `SELECT count(*) FROM events
    WHERE user_id = $1`, user); n != 1 || err != nil {
		t.Errorf("%d rows (%v), want 1", n, err)
	}

	messages := 0
	for _, m := range stack.Messages(t, stacktest.TrackingEvents) {
		if m.Key == user {
			messages++
		}
	}

	if messages != 1 {
		t.Errorf("%d messages, want 1", messages)
	}

	if rows := list(t, "?user_id="+user).Data; len(rows) != 1 || rows[0].Amount != "3.00" {
		t.Errorf("commissions %+v, want one of 3.00", rows)
	}
}

// The batch of the acceptance criteria: 1000 items, of which 3 are invalid and 50 are duplicates.
func TestABatchOfAThousand(t *testing.T) {
	t.Parallel()
	user, prefix := stacktest.Unique("user"), stacktest.Unique("event")
	item := func(i int, kind string) string {
		return fmt.Sprintf(
			`{"event_id": "%s-%d", "user_id": %q, "event_type": %q}`,
			prefix,
			i,
			user,
			kind,
		)
	}

	var items, want []string
	for i := range 1000 {
		text, status := item(i, "lead"), "recorded"
		switch {
		case i == 0 || i == 499:
			text, status = `{"event_type": "lead"}`, "rejected"
		case i == 999:
			text, status = item(1, "view"), "rejected" // item 1 is a lead
		case i >= 480 && i <= 530: // but for 499
			text, status = item(i-450, "lead"), "duplicate"
		}

		items, want = append(items, text), append(want, status)
	}

	var got batchAnswer
	stacktest.Want(
		t,
		200,
		stacktest.Request{
			URL:  stack.Tracking + eventsPath + "/batch",
			Body: `{"events": [` + strings.Join(items, ",") + `]}`,
		},
		&got,
	)

	if diff := cmp.Diff(want, got.statuses()); diff != "" {
		t.Errorf("statuses differ:\n%s", diff)
	}

	for i, r := range got.Results {
		if r.Index != i {
			t.Fatalf("result %d is of item %d", i, r.Index)
		}
	}

	if n, err := stacktest.Count(t.Context(), stack.TrackingDB, `SELECT count(*) FROM events
    WHERE user_id = $1`, user); n != 947 || err != nil {
		t.Errorf("%d events are recorded (%v), want 947", n, err)
	}
}

// Every accepted number is decided; a refund without a currency has that of its original.
func TestAmountsThatAreAcceptedAreDecided(t *testing.T) {
	t.Parallel()
	user := stacktest.Unique("user")

	event := func(kind, metadata string) string {
		return fmt.Sprintf(
			`{"user_id": %q, "event_type": %q, "metadata": {%s}}`,
			user,
			kind,
			metadata,
		)
	}
	for _, amount := range []string{"0e-99", "1.00000000000000"} {
		decided(t, record(t, event("purchase", `"amount": `+amount)).EventID, 10*time.Second)
	}

	sale := record(t, event("sale", `"amount": 1.005, "currency": "KWD"`))

	refund := record(t, event("refund", `"amount": 1.005, "original_event_id": "`+sale.EventID+`"`))
	if got := decided(t, refund.EventID, 10*time.Second); got.Outcome != "commissioned" {
		t.Errorf("the refund's decision is %+v, want a clawback", got)
	}

	sum := int64(0)
	for _, row := range list(t, "?user_id="+user+"&currency=KWD").Data {
		sum += row.AmountMinor
	}

	if sum != 0 {
		t.Errorf("after the whole refund %d is left", sum)
	}
}
