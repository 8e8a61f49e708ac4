//go:build python

package independent_test

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"testing"
	"time"

	"tributary/e2e/stacktest"
)

const patience = 20 * time.Second

type row struct {
	ID      string `json:"id"`
	EventID string `json:"event_id"`
	Status  string `json:"status"`
}

// history publishes events of every kind for the user.
func history(t *testing.T, user string) {
	t.Helper()

	first := publish(t, `"event_type":"sale","hold_days":30`, user, "0.2")
	earnings := earn(t, user)

	act(t, "commissions/"+earnings[0]+"/hold")
	act(t, "commissions/"+earnings[0]+"/release")
	act(t, "commissions/"+earnings[0]+"/approve")
	act(t, "commissions/"+earnings[1]+"/hold")
	act(t, "commissions/"+earnings[1]+"/reject")

	create(
		t,
		"adjustments",
		fmt.Sprintf(`{"user_id":%q,"amount":"20.00","currency":"USD","reason":"agreed"}`, user),
	)
	pay(t, user)
	replay(t, user)
	act(t, "rules/"+first+"/retire")
}

// act requests a change of what the path names.
func act(t *testing.T, path string) {
	t.Helper()

	stacktest.Want(t, http.StatusOK, stacktest.Request{
		URL:  stack.Commission + "/api/v1/commission/" + path,
		Body: `{"reason":"agreed"}`,
	}, nil)
}

// create adds a row to the list, and returns its id.
func create(t *testing.T, list, body string) string {
	t.Helper()

	var created struct {
		ID     string `json:"id"`
		RuleID string `json:"rule_id"`
	}

	stacktest.Want(t, http.StatusCreated, stacktest.Request{
		URL:  stack.Commission + "/api/v1/commission/" + list,
		Body: body,
	}, &created)

	return cmp.Or(created.ID, created.RuleID)
}

// publish publishes a rule for the user's campaign, and returns its id.
func publish(t *testing.T, members, user, rate string) string {
	t.Helper()

	return create(t, "rules", fmt.Sprintf(
		`{"name":"A campaign","campaign_id":%q,"formula":{"kind":"percentage","rate":%q},%s}`,
		user,
		rate,
		members,
	))
}

// pay requests payouts that end in all ways. The first is in a batch for a while.
func pay(t *testing.T, user string) {
	t.Helper()

	for i, end := range []string{"complete", "fail", "cancel"} {
		payout := request(t, user, "1.00", "requested")

		if i == 0 {
			batch := create(t, "payout-batches", fmt.Sprintf(
				`{"currency":"USD","payment_method":"paypal","cutoff":%q}`,
				time.Now().Format(time.RFC3339Nano),
			))
			act(t, "payout-batches/"+batch+"/cancel")
		}

		act(t, "payouts/"+payout+"/"+end)
	}

	request(t, user, "100000.00", "rejected")
}

// replay decides the user's purchases again by another rule.
func replay(t *testing.T, user string) {
	t.Helper()

	begin := time.Now().Add(-time.Hour).Format(time.RFC3339)
	rule := publish(t, fmt.Sprintf(`"event_type":"purchase","effective_from":%q`, begin), user, "0.25")

	stacktest.Want(t, http.StatusOK, stacktest.Request{
		URL: stack.Commission + "/api/v1/commission/replays",
		Body: fmt.Sprintf(
			`{"from":%q,"to":%q,"reason":"agreed"}`,
			begin,
			time.Now().Format(time.RFC3339Nano),
		),
	}, nil)
	act(t, "rules/"+rule+"/retire")
}

// earn records two sales, whose commissions are pending, a purchase that is returned, and a refund
// whose purchase comes later. It returns the commissions of the sales, when all is decided.
func earn(t *testing.T, user string) []string {
	t.Helper()

	event := func(id, kind, more string) string {
		return fmt.Sprintf(
			`{"event_id":"%s-%s","user_id":%q,"campaign_id":%q,"event_type":%q,"metadata":{%s}}`,
			user,
			id,
			user,
			user,
			kind,
			more,
		)
	}
	original := func(id string) string { return fmt.Sprintf(`"original_event_id":"%s-%s"`, user, id) }

	for _, e := range []string{
		event("1", "sale", `"amount":100.00`),
		event("2", "sale", `"amount":50.50`),
		event("3", "purchase", `"amount":70.00`),
		event("4", "refund", original("3")),
		event("5", "refund", original("6")),
		event("6", "purchase", `"amount":10.00`),
		event("7", "purchase", `"amount":40.00`),
		event("8", "view", ``),
	} {
		stacktest.Want(t, http.StatusCreated, stacktest.Request{
			URL:  stack.Tracking + "/api/v1/tracking/events",
			Body: e,
		}, nil)
	}

	earned := make([]string, 2)

	stacktest.Await(t, patience, "the decisions of "+user, func(ctx context.Context) error {
		answer, err := stacktest.Send(ctx, stacktest.Request{
			URL: stack.Commission + "/api/v1/commission/decisions/" + user + "-8",
		})
		if err == nil && answer.Status != http.StatusOK {
			err = fmt.Errorf("status %d", answer.Status)
		}

		return err
	})

	var list struct {
		Data []row `json:"data"`
	}

	stacktest.Want(t, http.StatusOK, stacktest.Request{
		URL: stack.Commission + "/api/v1/commission/commissions?user_id=" + user,
	}, &list)

	for _, c := range list.Data {
		switch c.EventID {
		case user + "-1":
			earned[0] = c.ID
		case user + "-2":
			earned[1] = c.ID
		}
	}

	return earned
}

// request requests a payment, and returns its id when it has the status.
func request(t *testing.T, user, amount, status string) string {
	t.Helper()

	var receipt struct {
		CommandID string `json:"command_id"`
	}

	stacktest.Want(t, http.StatusAccepted, stacktest.Request{
		URL:   stack.BFF + "/api/v1/payments/request",
		Token: stack.Token(t, user),
		Body: fmt.Sprintf(
			`{"amount":%s,"currency":"USD","payment_method":"paypal","account_details":{"email":"a@example.com"}}`,
			amount,
		),
	}, &receipt)

	stacktest.Await(t, patience, "payout "+receipt.CommandID, func(ctx context.Context) error {
		answer, err := stacktest.Send(ctx, stacktest.Request{
			URL: stack.Commission + "/api/v1/commission/payouts/" + receipt.CommandID,
		})
		if err != nil || answer.Status != http.StatusOK {
			return fmt.Errorf("status %d: %w", answer.Status, err)
		}

		var payout row
		answer.JSON(t, &payout)

		if payout.Status != status {
			return fmt.Errorf("the status is %s", payout.Status)
		}

		return nil
	})

	return receipt.CommandID
}
