package commission_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"tributary/bff/internal/application/query/querytest"
)

// records answers as the commission service does about the records of package querytest.
func records(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	path := strings.TrimPrefix(r.URL.Path, "/api/v1/commission")
	problem := func(status int, code, errors string) {
		w.WriteHeader(status)
		_, _ = fmt.Fprintf(w, `{"code":%q,"detail":"d","errors":[%s]}`, code, errors)
	}

	switch {
	case q.Get("cursor") == querytest.BadCursor:
		problem(http.StatusBadRequest, "cursor_invalid", "")
	case q.Get("status") == querytest.BadStatus:
		problem(
			http.StatusUnprocessableEntity,
			"validation_failed",
			`{"field":"status","code":"invalid_value","message":"m"}`,
		)
	case path == "/payouts/"+querytest.PaymentID:
		_, _ = fmt.Fprint(w, querytest.Payment)
	case path == "/payouts":
		_, _ = fmt.Fprint(w, querytest.Payments)
	case path == "/balances/"+querytest.User:
		_, _ = fmt.Fprint(w, querytest.Balance)
	case path == "/commissions":
		_, _ = fmt.Fprint(w, querytest.Commissions)
	default:
		problem(http.StatusNotFound, "payout_not_found", "")
	}
}

func TestTheClientKeepsTheContract(t *testing.T) {
	t.Parallel()
	querytest.Suite(t, func(t *testing.T) querytest.World {
		t.Helper()

		return querytest.World{
			Source: serve(t, records),
			Away: serve(t, func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(http.StatusBadGateway)
			}),
		}
	})
}
