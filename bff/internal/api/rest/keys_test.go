package rest_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"tributary/bff/internal/application/command/commandtest"
	"tributary/bff/internal/domain/payment"
)

// The same key with the same content is the same command, however it is written; with another
// content the caller is told at once.
func TestAKeyStandsForOneRequest(t *testing.T) {
	t.Parallel()

	const other = "/api/v1/campaigns/camp124/accept"
	for name, tc := range map[string]struct {
		path, first, second string
		secondPath          string // if another
		status              int
	}{
		"the same payment":     {paymentPath, goodPayment, goodPayment, "", 202},
		"written otherwise":    {paymentPath, goodPayment, strings.ReplaceAll(payWith("150.00", "150.0"), " ", "\n"), "", 202},
		"amount as a string":   {paymentPath, goodPayment, payWith("150.00", `"150"`), "", 202},
		"another amount":       {paymentPath, goodPayment, payWith("150.00", "151"), "", 422},
		"another currency":     {paymentPath, goodPayment, payWith("USD", "EUR"), "", 422},
		"another method":       {paymentPath, goodPayment, payWith("paypal", "bank"), "", 422},
		"another account":      {paymentPath, goodPayment, payWith("user@example.com", "v@example.com"), "", 422},
		"the same acceptance":  {acceptPath, goodAccept, goodAccept, "", 202},
		"no metadata, null":    {acceptPath, `{"accepted_terms":true}`, `{"accepted_terms":true,"metadata":null}`, "", 202},
		"other metadata":       {acceptPath, goodAccept, `{"accepted_terms":true}`, "", 422},
		"another campaign":     {acceptPath, goodAccept, goodAccept, other, 422},
		"the same evidence":    {evidencePath, goodEvidence, goodEvidence, "", 202},
		"other evidence":       {evidencePath, goodEvidence, strings.Replace(goodEvidence, "photo.jpg", "p.jpg", 1), "", 422},
		"another kind command": {acceptPath, goodAccept, goodPayment, paymentPath, 202},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := setup(t)
			receiptOf(t, s.post(t, tc.path, tc.first, "Idempotency-Key", "k"))

			path := tc.secondPath
			if path == "" {
				path = tc.path
			}

			published := 2
			got := s.post(t, path, tc.second, "Idempotency-Key", "k")

			if tc.status == http.StatusUnprocessableEntity {
				published = 1

				if !strings.Contains(got.Body.String(), `"idempotency_key_reused"`) {
					t.Errorf("answer %s", got.Body)
				}
			}

			if got.Code != tc.status || len(s.published.Stored()) != published {
				t.Errorf("%d with %d published: %s", got.Code, len(s.published.Stored()), got.Body)
			}
		})
	}
}

// A request that was refused has not used its key.
func TestAFaultyRequestLeavesItsKey(t *testing.T) {
	t.Parallel()
	s := setup(t)

	if got := s.post(t, paymentPath, payWith("150.00", "-1"), "Idempotency-Key", "k"); got.Code != 422 {
		t.Fatalf("%d %s", got.Code, got.Body)
	}

	receiptOf(t, s.post(t, paymentPath, goodPayment, "Idempotency-Key", "k"))
}

// A message contains the hash of the request, which reveals nothing of it, and no hash without a
// key.
func TestCommandsCarryTheHashOfTheirContent(t *testing.T) {
	t.Parallel()
	s := setup(t)
	other := setup(t) // another replica, which remembers nothing of the first

	receiptOf(t, s.post(t, paymentPath, goodPayment, "Idempotency-Key", "k"))
	receiptOf(t, other.post(t, paymentPath, goodPayment, "Idempotency-Key", "k"))
	receiptOf(t, other.post(t, paymentPath, payWith("150.00", "151"), "Idempotency-Key", "k2"))
	receiptOf(t, other.post(t, paymentPath, goodPayment))

	first := commandtest.Of[payment.Request](s.published)[0].Stamp().RequestHash()
	same := commandtest.Of[payment.Request](other.published)[0].Stamp().RequestHash()
	another := commandtest.Of[payment.Request](other.published)[1].Stamp().RequestHash()
	none := commandtest.Of[payment.Request](other.published)[2].Stamp().RequestHash()

	if len(first) != 64 || same != first || another == first || none != "" {
		t.Error(fmt.Sprintln(first, same, another, none))
	}
}
