package rest_test

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"

	"tributary/platform/auth/authtest"
)

// Every operation of the OpenAPI document refuses callers without a token, with a forged token and
// without the role. A new operation is covered too.
func TestEveryOperationIsProtected(t *testing.T) {
	t.Parallel()
	s := setup(t)

	operations := authtest.Operations(t, s.get(t, "/openapi.json", "").Body.Bytes())
	if len(operations) < 7 {
		t.Fatalf("only %d operations", len(operations))
	}

	outsider := authtest.Claims(now(), "user123")
	outsider["roles"] = []string{"reader"}
	expired := authtest.Claims(now(), "user123")

	expired["exp"] = now().Unix() - 3600
	for _, op := range operations {
		if op.Public || !slices.Contains(op.Roles, "partner") {
			t.Errorf("%s %s: public %t, roles %v", op.Method, op.Path, op.Public, op.Roles)
		}

		for token, want := range map[string]int{
			"": http.StatusUnauthorized, authtest.HS256(t, authtest.Secret, expired): http.StatusUnauthorized,
			authtest.HS256(t, authtest.Secret, outsider): http.StatusForbidden,
		} {
			r := httptest.NewRequestWithContext(t.Context(), op.Method, op.Path, http.NoBody)
			if token != "" {
				r.Header.Set("Authorization", "Bearer "+token)
			}

			w := httptest.NewRecorder()
			s.ServeHTTP(w, r)

			if w.Code != want {
				t.Errorf("%s %s: %d, want %d", op.Method, op.Path, w.Code, want)
			}
		}
	}

	if len(s.records.asked) != 0 || len(s.published.Stored()) != 0 {
		t.Error("something was done")
	}
}
