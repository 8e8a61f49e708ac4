package acceptance_test

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tributary/e2e/stacktest"
)

const (
	eventsPath      = "/api/v1/tracking/events"
	commissionsPath = "/api/v1/commission/commissions"
	decisionsPath   = "/api/v1/commission/decisions/"
)

type recorded struct {
	EventID    string    `json:"event_id"`
	Status     string    `json:"status"`
	ReceivedAt time.Time `json:"received_at"`
}

// commission holds the columns whose values the contract fixes.
type commission struct {
	ID              string  `json:"id"`
	EventID         string  `json:"event_id"`
	UserID          string  `json:"user_id"`
	CampaignID      *string `json:"campaign_id"`
	ProductID       *string `json:"product_id"`
	EventType       string  `json:"event_type"`
	Kind            string  `json:"kind"`
	BaseAmount      string  `json:"base_amount"`
	BaseAmountMinor int64   `json:"base_amount_minor"`
	Amount          string  `json:"amount"`
	AmountMinor     int64   `json:"amount_minor"`
	Currency        string  `json:"currency"`
	ReversesID      *string `json:"reverses_id"`
}

type page struct {
	Data       []commission `json:"data"`
	HasMore    bool         `json:"has_more"`
	NextCursor string       `json:"next_cursor"`
}

type decision struct {
	EventID      string  `json:"event_id"`
	Outcome      string  `json:"outcome"`
	ReasonCode   string  `json:"reason_code"`
	CommissionID *string `json:"commission_id"`
}

// record sends an event and fails the test unless it is recorded.
func record(t *testing.T, body string) recorded {
	t.Helper()

	var got recorded
	stacktest.Want(t, 201, stacktest.Request{URL: stack.Tracking + eventsPath, Body: body}, &got)

	if got.Status != "recorded" || got.EventID == "" ||
		time.Since(got.ReceivedAt).Abs() > time.Minute {
		t.Fatalf("answer %+v, want recorded with an id and the time", got)
	}

	return got
}

// decided waits for the decision about an event.
func decided(t *testing.T, eventID string, within time.Duration) decision {
	t.Helper()

	var got decision
	took := stacktest.Await(t, within, "decision about "+eventID, func(ctx context.Context) error {
		answer, err := stacktest.Send(
			ctx,
			stacktest.Request{URL: stack.Commission + decisionsPath + eventID},
		)
		if err != nil {
			return err
		}

		if answer.Status != 200 {
			return fmt.Errorf("answer %d %s", answer.Status, answer.Body)
		}

		return json.Unmarshal([]byte(answer.Body), &got)
	})
	t.Logf("decided %s after the event was accepted", took.Round(time.Millisecond))

	return got
}

func list(t *testing.T, query string) page {
	t.Helper()

	var got page
	stacktest.Want(t, 200, stacktest.Request{URL: stack.Commission + commissionsPath + query}, &got)

	return got
}

// The two requests of the contract and their result: 100.00 earns 10.00 within two seconds.
func TestPurchaseBecomesCommission(t *testing.T) {
	t.Parallel()
	event := record(
		t,
		`{"user_id": "user123", "event_type": "purchase", "metadata": {"amount": 100.0, "product_id": "prod456"}}`,
	)

	got := decided(t, event.EventID, 2*time.Second)
	if got.Outcome != "commissioned" || got.CommissionID == nil {
		t.Fatalf("decision %+v, want a commission", got)
	}

	product := "prod456"
	want := commission{
		ID:              *got.CommissionID,
		EventID:         event.EventID,
		UserID:          "user123",
		ProductID:       &product,
		EventType:       "purchase",
		Kind:            "earning",
		BaseAmount:      "100.00",
		BaseAmountMinor: 10000,
		Amount:          "10.00",
		AmountMinor:     1000,
		Currency:        "USD",
	}

	var single commission
	stacktest.Want(
		t,
		200,
		stacktest.Request{URL: stack.Commission + commissionsPath + "/" + *got.CommissionID},
		&single,
	)

	if diff := cmp.Diff(want, single); diff != "" {
		t.Errorf("commission differs:\n%s", diff)
	}

	for _, row := range list(t, "").Data {
		if row.EventID == event.EventID {
			if diff := cmp.Diff(want, row); diff != "" {
				t.Errorf("row of the list differs:\n%s", diff)
			}

			return
		}
	}

	t.Errorf(
		"GET %s does not show the commission for event %s on its first page",
		commissionsPath,
		event.EventID,
	)
}

func TestEventIsKeptAndPublishedAsSent(t *testing.T) {
	t.Parallel()
	user := stacktest.Unique("user")

	const metadata = `{"amount": 100.10, "currency": "EUR", "order_id": "o-1", "product_id": "p-1", "note": {"n": 1.10, "text": "ž"}}`
	event := record(
		t,
		`{"user_id": "`+user+`", "event_type": "sale", "campaign_id": "camp123", "occurred_at": "2026-01-02T03:04:05.678Z", "metadata": `+metadata+`}`,
	)

	var stored map[string]any
	stacktest.Want(
		t,
		200,
		stacktest.Request{URL: stack.Tracking + eventsPath + "/" + event.EventID},
		&stored,
	)

	for name, want := range map[string]any{"event_id": event.EventID, "user_id": user, "event_type": "sale", "campaign_id": "camp123", "occurred_at": "2026-01-02T03:04:05.678Z"} {
		if stored[name] != want {
			t.Errorf("stored %s = %v, want %v", name, stored[name], want)
		}
	}

	decided(t, event.EventID, 10*time.Second)

	for _, m := range stack.Messages(t, stacktest.TrackingEvents) {
		var got map[string]any
		if err := json.Unmarshal([]byte(m.Payload), &got); err != nil ||
			got["event_id"] != event.EventID {
			continue
		}

		want := map[string]any{
			"schema_version": "v1",
			"event_id":       event.EventID,
			"user_id":        user,
			"event_type":     "sale",
			"occurred_at":    "2026-01-02T03:04:05.678Z",
			"received_at":    got["received_at"],
			"campaign_id":    "camp123",
			"product_id":     "p-1",
			"order_id":       "o-1",
			"amount":         "100.10",
			"currency":       "EUR",
			"metadata":       metadata,
		}
		if diff := cmp.Diff(want, got); diff != "" || m.Key != user {
			t.Errorf("message with key %q (want %q) differs:\n%s", m.Key, user, diff)
		}

		return
	}

	t.Errorf("%s does not hold event %s", stacktest.TrackingEvents, event.EventID)
}

// The first rules, in the currency of the event, rounded half to even.
func TestFirstRules(t *testing.T) {
	t.Parallel()

	for name, c := range map[string]struct{ kind, metadata, amount, currency string }{
		"purchase":              {"purchase", `{"amount": 0.25}`, "0.02", "USD"},
		"sale in yen":           {"sale", `{"amount": 1500, "currency": "JPY"}`, "150", "JPY"},
		"sale in dinars":        {"sale", `{"amount": "12.345", "currency": "KWD"}`, "1.234", "KWD"},
		"largest amount":        {"purchase", `{"amount": 999999999999.99}`, "100000000000.00", "USD"},
		"click":                 {"click", `{}`, "0.20", "USD"},
		"view":                  {"view", `{}`, "0.02", "USD"},
		"engagement":            {"engagement", `{}`, "0.75", "USD"},
		"amount with exponents": {"purchase", `{"amount": 1.5e2}`, "15.00", "USD"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			user := stacktest.Unique("user")
			event := record(
				t,
				`{"user_id": "`+user+`", "event_type": "`+c.kind+`", "metadata": `+c.metadata+`}`,
			)
			got := decided(t, event.EventID, 10*time.Second)

			rows := list(t, "?user_id="+user).Data
			if len(rows) != 1 || rows[0].Amount != c.amount || rows[0].Currency != c.currency {
				t.Fatalf(
					"decision %+v, rows %+v; want one of %s %s",
					got,
					rows,
					c.amount,
					c.currency,
				)
			}
		})
	}
}

func TestLeadIsDecidedWithoutCommission(t *testing.T) {
	t.Parallel()
	user := stacktest.Unique("user")

	got := decided(
		t,
		record(t, `{"user_id": "`+user+`", "event_type": "lead"}`).EventID,
		10*time.Second,
	)
	if got.Outcome != "not_commissioned" || got.ReasonCode == "" ||
		len(list(t, "?user_id="+user).Data) != 0 {
		t.Fatalf("decision %+v, want not_commissioned with a reason and no commission", got)
	}
}

func TestSameEventCountsOnce(t *testing.T) {
	t.Parallel()
	user, id := stacktest.Unique("user"), stacktest.Unique("event")
	body := func(amount string) stacktest.Request {
		return stacktest.Request{
			URL:  stack.Tracking + eventsPath,
			Body: `{"event_id": "` + id + `", "user_id": "` + user + `", "event_type": "purchase", "metadata": {"amount": ` + amount + `}}`,
		}
	}

	var first, again recorded
	stacktest.Want(t, 201, body("20.00"), &first)
	stacktest.Want(t, 200, body("20.00"), &again)

	if first.EventID != id || again.Status != "duplicate" || again.EventID != id ||
		!again.ReceivedAt.Equal(first.ReceivedAt) {
		t.Errorf(
			"answers %+v and %+v, want the second to be a duplicate of the first",
			first,
			again,
		)
	}

	conflict := stacktest.Do(t, body("21.00"))
	if p := conflict.Problem(t); p.Status != 409 || p.Code != "event_id_conflict" {
		t.Errorf("another content = %s, want 409 event_id_conflict", conflict.Body)
	}

	decided(t, id, 10*time.Second)

	if rows := list(t, "?user_id="+user).Data; len(rows) != 1 || rows[0].Amount != "2.00" {
		t.Errorf("commissions %+v, want one of 2.00", rows)
	}
}

func TestListIsFilteredAndPaged(t *testing.T) {
	t.Parallel()
	user := stacktest.Unique("user")

	last, kinds := "", []string{"click", "view", "click", "engagement", "click"}
	for i, kind := range kinds {
		last = record(
			t,
			fmt.Sprintf(`{"user_id": %q, "event_type": %q, "campaign_id": "c%d"}`, user, kind, i%2),
		).EventID
	}

	decided(t, last, 10*time.Second)

	seen := map[string]int{}
	for query, pages := "?limit=2&user_id="+user, 1; ; pages++ {
		got := list(t, query)
		for _, row := range got.Data {
			seen[row.ID]++
		}

		if !got.HasMore {
			if pages != 3 || len(seen) != len(kinds) || got.NextCursor != "" {
				t.Errorf(
					"%d pages with rows %v, want 3 with 5 different rows and no cursor behind the last",
					pages,
					seen,
				)
			}

			break
		}

		query = "?limit=2&user_id=" + user + "&cursor=" + got.NextCursor
	}

	for query, want := range map[string]int{"&event_type=click": 3, "&campaign_id=c1": 2, "&campaign_id=c1&event_type=click": 0, "&kind=clawback": 0, "&currency=USD": 5} {
		if got := list(t, "?user_id="+user+query).Data; len(got) != want {
			t.Errorf("%s returns %d rows, want %d", query, len(got), want)
		}
	}
}
