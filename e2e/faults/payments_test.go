package faults_test

import (
	"context"
	"fmt"
	"net/http"
	"testing"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"

	"tributary/e2e/stacktest"
)

// Fifty requests of each user at once, for a balance that covers one, before two instances that
// both consume them. One is killed while both are writing: it has committed a part of its requests
// and acknowledged none of the batch, which the other gets again.
//
//nolint:paralleltest // it kills a service that all tests share
func TestTwoReplicasNeverPayTwice(t *testing.T) {
	const early, users, requests = 4, 16, 50
	parts, names := replicated(t, "commission", 2)
	payees := earners(t, users)
	group, ctx := errgroup.WithContext(t.Context())
	group.SetLimit(2 * requests)
	ask := func(users []string) {
		for n := range len(users) * requests {
			request := stacktest.Request{
				URL:    stack.BFF + "/api/v1/payments/request",
				Token:  stack.Token(t, users[n/requests]),
				Header: map[string]string{"Idempotency-Key": fmt.Sprint("request ", n)},
				Body:   `{"amount":100.00,"currency":"USD","payment_method":"paypal","account_details":{"email":"user@example.com"}}`,
			}
			group.Go(func() error {
				answer, err := stacktest.Send(ctx, request)
				if err == nil && answer.Status != http.StatusAccepted {
					err = fmt.Errorf("answer %d %s", answer.Status, answer.Body)
				}

				return err
			})
		}
	}
	ask(payees[:early])
	awaitPayouts(t, payees, 1)
	held := holdWriters(t, "payouts")
	ask(payees[early:])
	held.waits(t, len(names))

	before := payoutsOf(t, payees)
	if err := parts.Kill(t.Context(), names[1]); err != nil {
		t.Fatal(err)
	}

	held.commit(t)

	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}

	awaitPayouts(t, payees, users*requests)
	t.Logf("%d of %d requests were decided before %s was killed", before, users*requests, names[1])
	paidOnce(t, payees, requests)
}

// earners returns new users with 100.00 USD each available for payout.
func earners(t *testing.T, n int) []string {
	t.Helper()

	users := make([]string, n)
	for i := range users {
		users[i] = stacktest.Unique("payee")
		stacktest.Want(t, http.StatusCreated, stacktest.Request{
			URL: stack.Tracking + "/api/v1/tracking/events",
			Body: fmt.Sprintf(
				`{"user_id":%q,"event_type":"purchase","metadata":{"amount":1000.00}}`,
				users[i],
			),
		}, nil)
	}

	stacktest.Await(t, stacktest.Patience, "the commissions", func(ctx context.Context) error {
		got, err := stacktest.Count(
			ctx,
			stack.CommissionDB,
			"SELECT count(*) FROM balances WHERE user_id = ANY($1) AND available_minor = 10000",
			users,
		)
		if err == nil && got != int64(n) {
			err = fmt.Errorf("%d of %d users have their balance", got, n)
		}

		return err
	})

	return users
}

const countPayouts = "SELECT count(*) FROM payouts WHERE user_id = ANY($1)"

func payoutsOf(t *testing.T, users []string) int64 {
	t.Helper()

	n, err := stacktest.Count(t.Context(), stack.CommissionDB, countPayouts, users)
	if err != nil {
		t.Fatal(err)
	}

	return n
}

// awaitPayouts returns when at least the given number of payouts are committed.
func awaitPayouts(t *testing.T, users []string, want int64) {
	t.Helper()
	stacktest.Await(t, stacktest.Patience, "payouts", func(ctx context.Context) error {
		n, err := stacktest.Count(ctx, stack.CommissionDB, countPayouts, users)
		if err == nil && n < want {
			err = fmt.Errorf("%d of %d", n, want)
		}

		return err
	})
}

// account returns the sums of a user's ledger rows, account by account, and the balances.
const account = `
SELECT coalesce(string_agg(concat_ws(' ', account, minor), ', '
    ORDER BY account) FILTER (WHERE minor <> 0), '') || ' = ' || sum(minor) || '; ' ||
       (SELECT concat_ws(' ', programme_minor, pending_minor, available_minor, in_payout_minor,
           paid_minor) FROM balances WHERE user_id = $1)
FROM (
    SELECT account, sum(minor) AS minor
    FROM ledger, LATERAL (VALUES (from_account, -amount_minor), (to_account,
        amount_minor)) AS v (account, minor)
    WHERE user_id = $1 GROUP BY account
) AS sums`

// paidOnce checks each user's payouts and accounts.
func paidOnce(t *testing.T, payees []string, requests int) {
	t.Helper()

	conn, err := pgx.Connect(t.Context(), stack.CommissionDB)
	if err != nil {
		t.Fatal(err)
	}

	defer func() { _ = conn.Close(context.WithoutCancel(t.Context())) }()

	states, sums := fmt.Sprintf(
		"rejected insufficient_balance %d, requested %d",
		requests-1,
		1,
	), "in_payout 10000, programme -10000 = 0; -10000 0 0 10000 0"
	for _, user := range payees {
		var state, sum string
		if err := conn.QueryRow(t.Context(), `
SELECT string_agg(concat_ws(' ', status, reason, times), ', ' ORDER BY status)
FROM (SELECT status, reason, count(*) AS times FROM payouts WHERE user_id = $1 GROUP BY status,
    reason) AS s`, user).Scan(&state); err != nil {
			t.Fatal(err)
		}

		if err := conn.QueryRow(t.Context(), account, user).Scan(&sum); err != nil {
			t.Fatal(err)
		}

		if state != states || sum != sums {
			t.Errorf(
				"user %s: payouts %q, want %q; accounts %q, want %q",
				user,
				state,
				states,
				sum,
				sums,
			)
		}
	}
}
