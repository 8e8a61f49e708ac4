package auth_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humachi"
	"github.com/go-chi/chi/v5"
	"github.com/go-json-experiment/json"

	"tributary/platform/auth"
	"tributary/platform/auth/authtest"
	"tributary/platform/fault"
)

type who struct {
	Body struct {
		UserID string `json:"user_id"`
		Known  bool   `json:"known"`
	}
}

// service returns a small API with one operation of each kind.
func service(t *testing.T, v *auth.Verifier) http.Handler {
	t.Helper()
	return limitedService(t, v, auth.Limits{})
}

func limitedService(t *testing.T, v *auth.Verifier, limits auth.Limits) http.Handler {
	t.Helper()
	router := chi.NewMux()
	api := humachi.New(router, huma.DefaultConfig("test", "1"))
	api.UseMiddleware(auth.Middleware(v, limits))

	answer := func(ctx context.Context, _ *struct{}) (*who, error) {
		out := &who{}
		identity, known := auth.From(ctx)
		out.Body.UserID, out.Body.Known = identity.UserID, known

		return out, nil
	}
	for path, security := range map[string][]map[string][]string{
		"/public": auth.Public(), "/silent": nil, "/any": auth.Require(), "/partner": auth.Require(auth.Partner),
		"/operator": auth.Require(auth.Operator), "/finance": auth.Require(auth.Finance), "/admin": auth.Require(auth.Admin), "/both": auth.Require(auth.Partner, auth.Operator),
	} {
		huma.Register(
			api,
			huma.Operation{
				OperationID: strings.Trim(path, "/"),
				Method:      http.MethodGet,
				Path:        path,
				Security:    security,
			},
			answer,
		)
	}

	return router
}

func call(
	t *testing.T,
	h http.Handler,
	path string,
	authorization ...string,
) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, http.NoBody)
	r.Header["Authorization"] = authorization
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)

	return w
}

func problemCode(t *testing.T, w *httptest.ResponseRecorder) string {
	t.Helper()

	var p struct {
		Code string `json:"code"`
	}
	if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil {
		t.Fatalf("%d is no problem document: %s", w.Code, w.Body)
	}

	return p.Code
}

func TestRightsOfOperations(t *testing.T) {
	t.Parallel()
	c := start()
	h := service(t, verifier(t, hs256(), c))

	bearer := func(roles ...string) []string {
		claims := authtest.Claims(c.at, "user123")
		claims["roles"] = roles

		return []string{"Bearer " + authtest.HS256(t, authtest.Secret, claims)}
	}
	for _, tc := range []struct {
		path    string
		headers []string
		status  int
		code    string
	}{
		{"/public", nil, 200, ""},
		{"/public", []string{"Bearer junk"}, 200, ""},
		{"/silent", nil, 401, "token_missing"},
		{"/silent", bearer(), 200, ""},
		{"/any", nil, 401, "token_missing"},
		{"/any", bearer("whatever"), 200, ""},
		{"/partner", bearer("partner"), 200, ""},
		{"/partner", bearer("admin"), 403, "role_missing"},
		{"/operator", bearer("partner"), 403, "role_missing"},
		{"/operator", bearer("operator"), 200, ""},
		{"/operator", bearer("admin"), 200, ""},
		{"/operator", bearer("finance"), 403, "role_missing"},
		{"/finance", bearer("operator"), 403, "role_missing"},
		{"/finance", bearer("finance"), 200, ""},
		{"/finance", bearer("admin"), 200, ""},
		{"/admin", bearer("operator", "finance"), 403, "role_missing"},
		{"/admin", bearer("partner", "admin"), 200, ""},
		{"/both", bearer("partner"), 200, ""},
		{"/both", bearer("reader"), 403, "role_missing"},
		{"/any", []string{"Basic dXNlcjpwYXNz"}, 401, "token_missing"},
		{"/any", []string{"Bearer"}, 401, "token_missing"},
		{"/any", []string{"Bearer "}, 401, "token_missing"},
		{"/any", []string{strings.TrimPrefix(bearer("partner")[0], "Bearer ")}, 401, "token_missing"},
		{"/any", append(bearer("partner"), bearer("admin")...), 401, "token_missing"},
		{"/any", []string{"bearer " + strings.TrimPrefix(bearer("partner")[0], "Bearer ")}, 200, ""},
		{"/any", []string{"Bearer   " + strings.TrimPrefix(bearer("partner")[0], "Bearer ")}, 200, ""},
		{"/any", []string{"Bearer   "}, 401, "token_missing"},
		{"/any", []string{"Bearer\t" + strings.TrimPrefix(bearer("partner")[0], "Bearer ")}, 401, "token_missing"},
		{"/any", []string{bearer("partner")[0] + " x"}, 401, "token_malformed"},
	} {
		w := call(t, h, tc.path, tc.headers...)
		if w.Code != tc.status || (tc.code != "" && problemCode(t, w) != tc.code) {
			t.Errorf(
				"%s %.20v: %d %s, want %d %s",
				tc.path,
				tc.headers,
				w.Code,
				w.Body,
				tc.status,
				tc.code,
			)
		}

		if w.Code == http.StatusUnauthorized &&
			!strings.HasPrefix(w.Header().Get("WWW-Authenticate"), "Bearer") {
			t.Errorf("%s: 401 without WWW-Authenticate", tc.path)
		}
	}
}

// Every forged token is refused over HTTP too.
func TestForgedTokensThroughHTTP(t *testing.T) {
	t.Parallel()
	c := start()

	h := service(t, verifier(t, hs256(), c))
	for _, tc := range authtest.Forged(t, authtest.Secret, c.at) {
		w := call(t, h, "/any", "Bearer "+tc.Token)
		if w.Code != http.StatusUnauthorized || problemCode(t, w) != tc.Code {
			t.Errorf("%s: %d %s, want 401 %s", tc.Name, w.Code, w.Body, tc.Code)
		}
	}
}

func TestAuthenticationOff(t *testing.T) {
	t.Parallel()

	h := service(t, nil)
	for _, path := range []string{"/public", "/silent", "/admin"} {
		if w := call(t, h, path); w.Code != http.StatusOK {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
}

func TestSecurityIsInTheDocument(t *testing.T) {
	t.Parallel()
	w := call(t, service(t, nil), "/openapi.json")

	var doc struct {
		Paths map[string]map[string]struct {
			Security *[]map[string][]string `json:"security"`
		} `json:"paths"`
	}
	if err := json.Unmarshal(w.Body.Bytes(), &doc); err != nil {
		t.Fatal(err)
	}

	if s := doc.Paths["/both"]["get"].Security; s == nil ||
		strings.Join((*s)[0][auth.Scheme], " ") != "partner operator" {
		t.Errorf("/both: %v", s)
	}

	if s := doc.Paths["/public"]["get"].Security; s == nil || len(*s) != 0 {
		t.Errorf("/public: %v", s)
	}
}

func TestOwnData(t *testing.T) {
	t.Parallel()

	as := func(roles ...auth.Role) context.Context {
		return auth.With(t.Context(), auth.Identity{UserID: "me", Roles: roles})
	}
	for name, tc := range map[string]struct {
		ctx         context.Context
		asked, want string
		err         error
	}{
		"partner asks for all":           {as(auth.Partner), "", "me", nil},
		"partner asks for itself":        {as(auth.Partner), "me", "me", nil},
		"partner asks for another":       {as(auth.Partner), "other", "", fault.ErrForeignUser},
		"no role asks for another":       {as(), "other", "", fault.ErrForeignUser},
		"operator asks for all":          {as(auth.Operator), "", "", nil},
		"operator asks for another":      {as(auth.Partner, auth.Operator), "other", "other", nil},
		"finance asks for another":       {as(auth.Finance), "other", "other", nil},
		"admin asks for another":         {as(auth.Admin), "other", "other", nil},
		"authentication off":             {t.Context(), "other", "other", nil},
		"authentication off, no request": {t.Context(), "", "", nil},
	} {
		got, err := auth.OwnUser(tc.ctx, tc.asked)
		if got != tc.want || !errors.Is(err, tc.err) {
			t.Errorf("%s: %q %v", name, got, err)
		}

		if tc.asked != "" && auth.MaySee(tc.ctx, tc.asked) != (err == nil) {
			t.Errorf("%s: MaySee differs from OwnUser", name)
		}
	}
}
