package rest_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tributary/bff/internal/application/query"
	"tributary/platform/auth/authtest"
)

// records is a source with one payment, of user123. It records the queries.
type records struct {
	err    error
	asked  []string
	query  query.Origin
	filter query.CommissionFilter
	page   query.Page
}

const paymentID = "01929b1c-7b5e-7c11-8a10-0000000000b3"

func (r *records) note(what string, q query.Origin) {
	r.asked, r.query = append(r.asked, what), q
}

func (r *records) Payout(_ context.Context, q query.Origin, id string) (query.Document, error) {
	r.note("payout "+id, q)

	return query.Document{
		Owner: "user123",
		Text:  `{"id":"` + id + `","user_id":"user123","amount":"150.00"}`,
	}, r.err
}

func (r *records) Payouts(
	_ context.Context,
	q query.Origin,
	status string,
	page query.Page,
) (query.Document, error) {
	r.note("payouts "+status, q)
	r.page = page

	return query.Document{Text: `{"data":[],"has_more":false}`}, r.err
}

func (r *records) Balance(_ context.Context, q query.Origin) (query.Document, error) {
	r.note("balance", q)
	return query.Document{Text: `{"data":[{"available":"1.10"}]}`}, r.err
}

func (r *records) Commissions(
	_ context.Context,
	q query.Origin,
	filter query.CommissionFilter,
	page query.Page,
) (query.Document, error) {
	r.note("commissions", q)
	r.filter, r.page = filter, page

	return query.Document{Text: `{"data":[]}`}, r.err
}

func (s service) get(t *testing.T, path, token string) *httptest.ResponseRecorder {
	t.Helper()

	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, http.NoBody)
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}

	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)

	return w
}

func TestReads(t *testing.T) {
	t.Parallel()

	for path, tc := range map[string]struct{ asked, body string }{
		"/api/v1/payments/" + paymentID:                   {"payout " + paymentID, `{"id":"` + paymentID + `","user_id":"user123","amount":"150.00"}`},
		"/api/v1/payments?status=requested&limit=5":       {"payouts requested", `{"data":[],"has_more":false}`},
		"/api/v1/balance":                                 {"balance", `{"data":[{"available":"1.10"}]}`},
		"/api/v1/commissions?campaign_id=c1&currency=USD": {"commissions", `{"data":[]}`},
	} {
		s := setup(t)

		w := s.get(t, path, s.token)
		if w.Code != http.StatusOK || w.Body.String() != tc.body ||
			w.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %d %s %v", path, w.Code, w.Body, w.Header())
		}

		if diff := cmp.Diff([]string{tc.asked}, s.records.asked); diff != "" {
			t.Errorf("%s: %s", path, diff)
		}

		if s.records.query.Caller.UserID() != "user123" || s.records.query.Bearer != s.token {
			t.Errorf("%s: asked as %s", path, s.records.query.Caller.UserID())
		}
	}
}

func TestReadsOfOthersAndBadReads(t *testing.T) {
	t.Parallel()
	s := setup(t)

	other := authtest.HS256(t, authtest.Secret, authtest.Claims(now(), "user456"))
	if w := s.get(t, "/api/v1/payments/"+paymentID, other); w.Code != http.StatusNotFound ||
		problemOf(t, w).Code != "payment_not_found" {
		t.Errorf("another's payment: %d %s", w.Code, w.Body)
	}

	s.records.asked = nil
	for _, path := range []string{
		"/api/v1/payments/not-a-uuid", "/api/v1/payments?limit=0", "/api/v1/payments?limit=1001", "/api/v1/payments?limit=x", "/api/v1/payments?user_id=user456",
		"/api/v1/balance?user_id=user456", "/api/v1/commissions?user_id=user456", "/api/v1/commissions?currency=DOLLAR",
	} {
		if w := s.get(t, path, s.token); w.Code != http.StatusUnprocessableEntity {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}

	for _, path := range []string{"/api/v1/payments/" + paymentID, "/api/v1/payments", "/api/v1/balance", "/api/v1/commissions"} {
		if w := s.get(t, path, ""); w.Code != http.StatusUnauthorized {
			t.Errorf("%s without token: %d", path, w.Code)
		}
	}

	if len(s.records.asked) != 0 {
		t.Errorf("the source was asked: %v", s.records.asked)
	}
}

func TestCommissionAway(t *testing.T) {
	t.Parallel()
	s := setup(t)

	s.records.err = query.ErrUnavailable
	for _, path := range []string{"/api/v1/payments/" + paymentID, "/api/v1/payments", "/api/v1/balance", "/api/v1/commissions"} {
		w := s.get(t, path, s.token)
		if w.Code != http.StatusServiceUnavailable ||
			problemOf(t, w).Code != "commission_unavailable" ||
			w.Header().Get("Retry-After") == "" {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
}
