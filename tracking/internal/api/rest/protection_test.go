package rest_test

import (
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"tributary/platform/auth"
	"tributary/platform/auth/authtest"
	"tributary/platform/httpapi"
	"tributary/tracking/internal/api/rest"
)

func middleware(verifier *auth.Verifier) []func(huma.Context, func(huma.Context)) {
	return []func(huma.Context, func(huma.Context)){auth.Middleware(verifier, auth.Limits{})}
}

func verifier(t *testing.T) *auth.Verifier {
	t.Helper()

	v, err := auth.New(
		t.Context(),
		auth.Config{
			Secret:            authtest.Secret,
			Algorithm:         "HS256",
			RequireValidation: true,
			Issuer:            "test-issuer",
			Audience:          "test-audience",
			Leeway:            30 * time.Second,
		},
		auth.Dependencies{Now: clock, Logger: slog.New(slog.DiscardHandler)},
	)
	if err != nil {
		t.Fatal(err)
	}

	return v
}

func token(t *testing.T, user string, roles ...string) map[string]string {
	t.Helper()
	claims := authtest.Claims(clock(), user)
	claims["roles"] = roles

	return map[string]string{
		"Authorization": "Bearer " + authtest.HS256(t, authtest.Secret, claims),
	}
}

// Every operation of the OpenAPI document refuses callers without a token, with a forged token and
// without the role. A new operation is covered too.
func TestEveryOperationIsProtected(t *testing.T) {
	t.Parallel()
	url, log := setup(t, verifier(t))
	base := strings.TrimSuffix(url, "/api/v1/tracking/events")

	operations := authtest.Operations(
		t,
		[]byte(send(t, request{method: "GET", url: base + "/openapi.json"}).body),
	)
	if len(operations) < 4 {
		t.Fatalf("only %d operations", len(operations))
	}

	for _, op := range operations {
		if a := send(t, request{method: op.Method, url: base + op.Path}); op.Public ||
			a.status != http.StatusUnauthorized {
			t.Errorf("%s %s without a token: %d", op.Method, op.Path, a.status)
		}

		for _, f := range authtest.Forged(t, authtest.Secret, clock()) {
			a := send(
				t,
				request{
					method:  op.Method,
					url:     base + op.Path,
					headers: map[string]string{"Authorization": "Bearer " + f.Token},
				},
			)
			if a.status != http.StatusUnauthorized || !strings.Contains(a.body, `"`+f.Code+`"`) {
				t.Errorf(
					"%s %s, %s: %d %s, want 401 %s",
					op.Method,
					op.Path,
					f.Name,
					a.status,
					a.body,
					f.Code,
				)
			}
		}

		if a := send(
			t,
			request{method: op.Method, url: base + op.Path, headers: token(t, "u", "reader")},
		); a.status != http.StatusForbidden {
			t.Errorf("%s %s without the role: %d", op.Method, op.Path, a.status)
		}
	}

	if log.size() != 0 {
		t.Error("something was recorded")
	}
}

func TestPartnersSeeOnlyTheirOwn(t *testing.T) {
	t.Parallel()
	url, _ := setup(t, verifier(t))
	operator := token(t, "shop", "operator")
	own := token(t, "user123", "partner")

	other := token(t, "user124", "partner")
	if a := send(
		t,
		request{url: url, body: purchase, headers: own},
	); a.status != http.StatusForbidden {
		t.Errorf("a partner recorded its own purchase: %d", a.status)
	}

	if a := send(
		t,
		request{url: url, body: purchase, headers: operator},
	); a.status != http.StatusCreated {
		t.Fatalf("%d %s", a.status, a.body)
	}

	for name, c := range map[string]struct {
		path   string
		header map[string]string
		status int
		rows   int
	}{
		"operator, one":         {"/id-1", operator, 200, -1},
		"own":                   {"/id-1", own, 200, -1},
		"of another":            {"/id-1", other, 404, -1},
		"operator, list":        {"", operator, 200, 1},
		"own list":              {"", own, 200, 1},
		"empty list of another": {"", other, 200, 0},
		"foreign list":          {"?user_id=user123", other, 403, -1},
	} {
		a := send(t, request{method: "GET", url: url + c.path, headers: c.header})
		if a.status != c.status ||
			c.rows >= 0 && len(decode[httpapi.Page[rest.Event]](t, a).Data) != c.rows {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
	}
}

// Every operation for partners refuses the data of another partner: 404 for one event, 403 for a
// list.
func TestForeignPartnersAreRefusedEverywhere(t *testing.T) {
	t.Parallel()
	url, _ := setup(t, verifier(t))

	base := strings.TrimSuffix(url, "/api/v1/tracking/events")
	if a := send(
		t,
		request{url: url, body: purchase, headers: token(t, "shop", "operator")},
	); a.status != http.StatusCreated {
		t.Fatalf("%d %s", a.status, a.body)
	}

	foreign := map[string]string{
		"/api/v1/tracking/events/x1": "/api/v1/tracking/events/id-1",
		"/api/v1/tracking/events":    "/api/v1/tracking/events?user_id=user123",
	}
	for _, op := range authtest.Operations(t, []byte(send(t, request{method: "GET", url: base + "/openapi.json"}).body)) {
		if !slices.Contains(op.Roles, "partner") {
			continue
		}

		path := foreign[op.Path]
		if op.Method != http.MethodGet || path == "" {
			t.Fatalf("%s %s is new: name something of user123 that it returns", op.Method, op.Path)
		}

		if a := send(
			t,
			request{method: "GET", url: base + path, headers: token(t, "user123", "partner")},
		); a.status != http.StatusOK {
			t.Errorf("%s by its owner: %d %s", path, a.status, a.body)
		}

		if a := send(
			t,
			request{method: "GET", url: base + path, headers: token(t, "user124", "partner")},
		); a.status != http.StatusForbidden &&
			a.status != http.StatusNotFound {
			t.Errorf("%s by a stranger: %d %s", path, a.status, a.body)
		}
	}
}

// Keys belong to a caller.
func TestTheSameKeyOfTwoCallersIsTwoKeys(t *testing.T) {
	t.Parallel()

	url, log := setup(t, verifier(t))
	for _, caller := range []string{"a", "b"} {
		headers := token(t, caller, "operator")

		headers["Idempotency-Key"] = "k"
		if a := send(
			t,
			request{url: url, body: purchase, headers: headers},
		); a.status != http.StatusCreated ||
			a.header.Get("Idempotency-Replayed") != "" {
			t.Errorf("%s: %d %v", caller, a.status, a.header)
		}
	}

	if log.size() != 2 {
		t.Errorf("%d are recorded, want 2", log.size())
	}
}
