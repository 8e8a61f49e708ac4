package acceptance_test

import (
	"context"
	"fmt"
	"net/http"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"tributary/e2e/stacktest"
)

// payment is the outcome of a payment request.
type payment struct {
	ID     string `json:"id"`
	UserID string `json:"user_id"`
	Amount string `json:"amount"`
	Status string `json:"status"`
	Reason string `json:"reason"`
}

type balances struct {
	Balances []struct {
		Currency  string `json:"currency"`
		Available string `json:"available"`
		InPayout  string `json:"in_payout"`
		Paid      string `json:"paid"`
	} `json:"balances"`
}

// earn records a purchase and waits until its commission is posted.
func earn(t *testing.T, user, amount string) {
	t.Helper()
	e := record(
		t,
		fmt.Sprintf(
			`{"user_id":%q,"event_type":"purchase","metadata":{"amount":%s}}`,
			user,
			amount,
		),
	)
	decided(t, e.EventID, 10*time.Second)
}

func paymentRequest(token, amount, key string) stacktest.Request {
	return stacktest.Request{
		URL:    stack.BFF + "/api/v1/payments/request",
		Token:  token,
		Header: map[string]string{"Idempotency-Key": key},
		Body: fmt.Sprintf(
			`{"amount":%s,"currency":"USD","payment_method":"paypal","account_details":{"email":"user@example.com"}}`,
			amount,
		),
	}
}

// ask requests a payment and returns its command id.
func ask(t *testing.T, token, amount, key string) string {
	t.Helper()

	var answered receipt
	stacktest.Want(t, http.StatusAccepted, paymentRequest(token, amount, key), &answered)

	return answered.CommandID
}

// await reads the payment through the bff until it exists.
func await(t *testing.T, token, id string) payment {
	t.Helper()

	var p payment
	stacktest.Await(t, 10*time.Second, "payment "+id, func(ctx context.Context) error {
		answer, err := stacktest.Send(
			ctx,
			stacktest.Request{URL: stack.BFF + "/api/v1/payments/" + id, Token: token},
		)
		if err == nil && answer.Status != http.StatusOK {
			err = fmt.Errorf("status %d", answer.Status)
		}

		if err == nil {
			answer.JSON(t, &p)
		}

		return err
	})

	return p
}

func wantBalance(t *testing.T, token, available, inPayout, paid string) {
	t.Helper()

	var b balances
	stacktest.Want(
		t,
		http.StatusOK,
		stacktest.Request{URL: stack.BFF + "/api/v1/balance", Token: token},
		&b,
	)

	if len(b.Balances) != 1 || b.Balances[0].Available != available ||
		b.Balances[0].InPayout != inPayout ||
		b.Balances[0].Paid != paid {
		t.Errorf(
			"balances = %+v, want %s available, %s in payout, %s paid",
			b.Balances,
			available,
			inPayout,
			paid,
		)
	}
}

func TestPaymentLoop(t *testing.T) {
	t.Parallel()
	user := stacktest.Unique("payee")
	token := stack.Token(t, user)
	earn(t, user, "1600.00")
	wantBalance(t, token, "160.00", "0.00", "0.00")

	id := ask(t, token, "150.00", "first")
	if again := ask(t, token, "150.00", "first"); again != id {
		t.Errorf("the same key made another command: %s and %s", id, again)
	}

	if p := await(t, token, id); p.Status != "requested" || p.UserID != user ||
		p.Amount != "150.00" {
		t.Fatalf("payment = %+v, want 150.00 requested", p)
	}

	wantBalance(t, token, "10.00", "150.00", "0.00")

	if p := await(t, token, ask(t, token, "10.01", "too much")); p.Status != "rejected" ||
		p.Reason != "insufficient_balance" {
		t.Errorf("payment beyond the balance = %+v, want rejected: insufficient_balance", p)
	}

	other := stack.Token(t, stacktest.Unique("stranger"))
	stacktest.Want(
		t,
		http.StatusNotFound,
		stacktest.Request{URL: stack.BFF + "/api/v1/payments/" + id, Token: other},
		nil,
	)

	complete := stacktest.Request{
		URL:  stack.Commission + "/api/v1/commission/payouts/" + id + "/complete",
		Body: `{"reason":"transfer 4711"}`,
	}
	stacktest.Want(t, http.StatusOK, complete, nil)
	stacktest.Want(t, http.StatusConflict, complete, nil)
	wantBalance(t, token, "10.00", "0.00", "150.00")

	if p := await(t, token, id); p.Status != "completed" {
		t.Errorf("payment = %+v, want completed", p)
	}
}

func TestParallelPaymentRequestsCannotOverdraw(t *testing.T) {
	t.Parallel()
	user := stacktest.Unique("payee")
	token := stack.Token(t, user)
	earn(t, user, "1000.00")

	const requests = 50
	answers := make([]stacktest.Answer, requests)

	var group errgroup.Group
	for n := range answers {
		group.Go(func() (err error) {
			answers[n], err = stacktest.Send(
				t.Context(),
				paymentRequest(token, "100.00", fmt.Sprint("request ", n)),
			)

			return err
		})
	}

	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}

	states := map[string]int{}
	for _, answer := range answers {
		var r receipt
		answer.JSON(t, &r)
		states[await(t, token, r.CommandID).Status]++
	}

	if states["requested"] != 1 || states["rejected"] != requests-1 {
		t.Errorf(
			"%v of %d requests for a balance that covers one; want 1 requested and the others rejected",
			states,
			requests,
		)
	}

	wantBalance(t, token, "0.00", "100.00", "0.00")
}
