package rest_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"tributary/commission/internal/api/rest"
	"tributary/platform/auth/authtest"
)

// operations returns the operations of the service's own OpenAPI document, so that a new route is
// covered too.
func (s service) operations(t *testing.T) []authtest.Operation {
	t.Helper()

	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "/openapi.json", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}

	operations := authtest.Operations(t, []byte(s.serve(r)))
	if len(operations) < 20 {
		t.Fatalf("only %d operations", len(operations))
	}

	return operations
}

// Every operation refuses callers without a token, with a forged token, and without the role.
func TestEveryOperationIsProtected(t *testing.T) {
	t.Parallel()
	s := secured(t)
	forged := authtest.Forged(t, authtest.Secret, time.Now())
	outsider := authtest.Claims(time.Now(), "u")
	outsider["roles"] = []string{"reader"}

	reader := authtest.HS256(t, authtest.Secret, outsider)
	for _, op := range s.operations(t) {
		path := strings.TrimPrefix(op.Path, rest.Base)
		if a := s.call(t, op.Method, path, ""); op.Public || a.status != http.StatusUnauthorized ||
			a.str("code") != "token_missing" {
			t.Errorf("%s %s without a token: %d %s", op.Method, path, a.status, a.text)
		}

		for _, f := range forged {
			a := s.call(t, op.Method, path, "", "Authorization", "Bearer "+f.Token)
			if a.status != http.StatusUnauthorized || a.str("code") != f.Code ||
				a.header.Get("WWW-Authenticate") == "" {
				t.Errorf(
					"%s %s, %s: %d %s, want 401 %s",
					op.Method,
					path,
					f.Name,
					a.status,
					a.text,
					f.Code,
				)
			}
		}

		if a := s.call(
			t,
			op.Method,
			path,
			"",
			"Authorization",
			"Bearer "+reader,
		); a.status != http.StatusForbidden {
			t.Errorf("%s %s without the role: %d %s", op.Method, path, a.status, a.text)
		}
	}
}

// Every operation for partners refuses the data of another partner: 404 for one resource, 403 for a
// list.
func TestForeignPartnersAreRefusedEverywhere(t *testing.T) {
	t.Parallel()
	s := secured(t)
	s.decide(t, purchase("e2", "v", "100"))

	payout := newID()
	if _, err := s.payouts.Handle(t.Context(), request(payout, "v", 100)); err != nil {
		t.Fatal(err)
	}

	s.token = authtest.HS256(t, authtest.Secret, authtest.Claims(time.Now(), "v"))
	commission := s.call(t, "GET", "/commissions", "").want(t, http.StatusOK).str("data.0.id")
	owned := map[string]string{ // the values of x1 in a path
		"/commissions/x1":         commission,
		"/commissions/x1/explain": commission,
		"/commissions/x1/payouts": commission,
		"/decisions/x1":           "e2",
		"/decisions/x1/explain":   "e2",
		"/balances/x1":            "v",
		"/payouts/x1":             payout,
		"/payouts/x1/items":       payout,
		"/payouts/x1/items.csv":   payout,
		"/statements/x1":          "v",
		"/statements/x1/csv":      "v",
		"/statements/x1/html":     "v",
	}

	stranger := authtest.HS256(t, authtest.Secret, authtest.Claims(time.Now(), "u"))
	for _, op := range s.operations(t) {
		if !slices.Contains(op.Roles, "partner") {
			continue
		}

		path := strings.TrimPrefix(op.Path, rest.Base)
		if strings.Contains(path, "x1") {
			if owned[path] == "" {
				t.Fatalf("%s is new: name something that belongs to v", path)
			}

			month := ""
			if strings.HasPrefix(path, "/statements") {
				month = "?month=2026-11"
			}

			path = strings.Replace(path, "x1", owned[path], 1) + month
		} else {
			path += "?user_id=v"
			if strings.HasPrefix(path, "/summary") {
				path += "&group_by=user_id"
			}
		}

		s.call(t, op.Method, path, "").want(t, http.StatusOK) // v itself may

		if a := s.call(
			t,
			op.Method,
			path,
			"",
			"Authorization",
			"Bearer "+stranger,
		); a.status != http.StatusForbidden &&
			a.status != http.StatusNotFound {
			t.Errorf("%s %s by a stranger: %d %s", op.Method, path, a.status, a.text)
		}
	}
}
