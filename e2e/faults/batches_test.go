package faults_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"tributary/e2e/stacktest"
)

// A payout batch is made, approved, filed, sent and settled. At each step the service is killed
// when it has written everything but not committed it: nothing of the step remains, and the same
// request to the next instance does it once.
//
//nolint:paralleltest // it kills a service that all tests share
func TestABatchSurvivesAKillAtEachStep(t *testing.T) {
	const users = 12

	parts, names := replicated(t, "commission", 1)
	payees := earners(t, users)
	method := strings.ReplaceAll(stacktest.Unique("batch"), "-", "_")

	for _, user := range payees {
		stacktest.Want(t, http.StatusAccepted, stacktest.Request{
			URL:   stack.BFF + "/api/v1/payments/request",
			Token: stack.Token(t, user),
			Body: `{"amount":100.00,"currency":"USD","payment_method":"` + method +
				`","account_details":{"email":"user@example.com"}}`,
		}, nil)
	}

	awaitPayouts(t, payees, users)

	base := stack.Commission + "/api/v1/commission/payout-batches"

	step := func(table string, request stacktest.Request) stacktest.Answer {
		t.Helper()

		before := batchState(t, payees)
		held := holdWriters(t, table)
		gone := make(chan error)

		go func() {
			_, err := stacktest.Send(t.Context(), request)
			gone <- err
		}()

		held.waits(t, 1)

		if err := parts.Kill(t.Context(), names[0]); err != nil {
			t.Fatal(err)
		}

		if err := <-gone; err == nil {
			t.Errorf("%s was answered by a service that was killed", request.URL)
		}

		held.commit(t)
		started(t, parts, names[0])
		ready(t, stack.Commission, stacktest.Patience)

		if after := batchState(t, payees); after != before {
			t.Errorf("%s left %s, before it was %s", request.URL, after, before)
		}

		first := stacktest.Do(t, request)
		if again := stacktest.Do(t, request); first.Status >= 300 || again.Body != first.Body {
			t.Fatalf("%s: %d %s, then %d %s", request.URL, first.Status, first.Body, again.Status, again.Body)
		}

		return first
	}
	keyed := func(key string) map[string]string { return map[string]string{"Idempotency-Key": method + key} }

	var made struct {
		ID string `json:"id"`
	}

	step("payouts", stacktest.Request{
		URL:    base,
		Header: keyed("make"),
		Body:   `{"currency":"USD","payment_method":"` + method + `","cutoff":"2999-01-01T00:00:00Z"}`,
	}).JSON(t, &made)

	act := func(action string) stacktest.Request {
		return stacktest.Request{
			URL:    base + "/" + made.ID + "/" + action,
			Header: keyed(action),
			Body:   `{"reason":"checked"}`,
		}
	}
	step("payout_batches", act("approve"))

	file := step("payout_batches", stacktest.Request{URL: base + "/" + made.ID + "/file?format=paypal-csv"})

	step("payout_batches", act("send"))

	results := "reference,outcome\n"
	for row := range strings.Lines(file.Body) {
		results += strings.Split(row, ",")[3] + ",completed\n"
	}

	step("payouts", stacktest.Request{
		URL:         base + "/" + made.ID + "/results",
		Header:      keyed("results"),
		ContentType: "text/csv",
		Body:        results,
	})

	want := fmt.Sprintf("%d completed, %d in 1 batches; settled 0/%d 120000; %d paid 120000", users, users, users, users)
	if got := batchState(t, payees); got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// batchState describes the users' payouts, their batches and what was paid.
func batchState(t *testing.T, users []string) string {
	t.Helper()

	conn, err := pgx.Connect(t.Context(), stack.CommissionDB)
	if err != nil {
		t.Fatal(err)
	}

	defer func() { _ = conn.Close(context.WithoutCancel(t.Context())) }()

	var state string
	if err := conn.QueryRow(t.Context(), `SELECT concat_ws('; ',
    (SELECT string_agg(concat_ws(' ', n, status || ',', batched, 'in', batches, 'batches'), ', ' ORDER BY status)
     FROM (SELECT status, count(*) AS n, count(batch_id) AS batched, count(DISTINCT batch_id) AS batches
           FROM payouts WHERE user_id = ANY($1) GROUP BY status) AS p),
    (SELECT string_agg(concat_ws(' ', status, open_payouts || '/' || payouts, total_minor), ', ')
     FROM payout_batches WHERE id IN (SELECT batch_id FROM payouts WHERE user_id = ANY($1))),
    (SELECT concat_ws(' ', count(*), 'paid', sum(amount_minor)) FROM ledger
     WHERE user_id = ANY($1) AND to_account = 'paid'))`, users).Scan(&state); err != nil {
		t.Fatal(err)
	}

	return state
}
