package auth_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tributary/platform/auth"
	"tributary/platform/auth/authtest"
	"tributary/platform/fault"
)

// clock is a time that tests advance.
type clock struct{ at time.Time }

func (c *clock) now() time.Time { return c.at }

func start() *clock { return &clock{time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)} }

func hs256() auth.Config {
	return auth.Config{
		Secret: authtest.Secret, Algorithm: "HS256", RequireValidation: true,
		Issuer: "test-issuer", Audience: "test-audience", Leeway: 30 * time.Second,
	}
}

func verifier(t *testing.T, cfg auth.Config, c *clock) *auth.Verifier {
	t.Helper()

	if faults := cfg.Validate(false); len(faults) > 0 {
		t.Fatal(faults)
	}

	v, err := auth.New(
		t.Context(),
		cfg,
		auth.Dependencies{Now: c.now, Logger: slog.New(slog.DiscardHandler)},
	)
	if err != nil {
		t.Fatal(err)
	}

	return v
}

func code(err error) string {
	if f, ok := fault.As(err); ok {
		return f.Code()
	}

	return fmt.Sprint(err)
}

func TestForgedAndDamagedTokens(t *testing.T) {
	t.Parallel()
	c := start()

	cases := authtest.Forged(t, authtest.Secret, c.at)
	if len(cases) < 40 {
		t.Fatalf("only %d cases", len(cases))
	}

	v := verifier(t, hs256(), c)
	for _, tc := range cases {
		identity, err := v.Verify(t.Context(), tc.Token)
		if code(err) != tc.Code {
			t.Errorf("%s: %s, want %s", tc.Name, code(err), tc.Code)
			continue
		}

		f, _ := fault.As(err)
		if f.Kind() != fault.Unauthenticated || identity.UserID != "" {
			t.Errorf("%s: kind %s, identity %v", tc.Name, f.Kind(), identity)
		}

		for _, secret := range []string{"user123", authtest.Secret, "test-issuer", "test-audience", tc.Token} {
			if strings.Contains(f.Detail, secret) {
				t.Errorf("%s: the detail leaks: %s", tc.Name, f.Detail)
			}
		}
	}

	if auth.CacheSize(v) != 0 {
		t.Error("refused tokens are remembered")
	}
}

func TestIdentity(t *testing.T) {
	t.Parallel()
	c := start()
	v := verifier(t, hs256(), c)
	claims := authtest.Claims(c.at, "user123")
	claims["roles"] = []string{"operator", "auditor", "operator"}
	claims["scope"] = "openid admin"

	got, err := v.Verify(t.Context(), authtest.HS256(t, authtest.Secret, claims))
	if err != nil {
		t.Fatal(err)
	}

	want := auth.Identity{
		UserID:  "user123",
		Subject: "user123",
		Issuer:  "test-issuer",
		TokenID: "token-1",
		Roles: []auth.Role{
			"operator",
			"auditor",
		},
		ExpiresAt: c.at.Add(time.Hour),
		Verified:  true,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestLeewayAndCacheNeverOutliveTheToken(t *testing.T) {
	t.Parallel()
	c := start()
	v := verifier(t, hs256(), c)
	claims := authtest.Claims(c.at, "user123")
	claims["exp"] = c.at.Add(time.Minute).Unix()

	token := authtest.HS256(t, authtest.Secret, claims)
	for _, step := range []struct {
		after time.Duration
		want  string
	}{{0, ""}, {59 * time.Second, ""}, {85 * time.Second, ""}, {91 * time.Second, "token_expired"}, {6 * time.Minute, "token_expired"}} {
		c.at = start().at.Add(step.after)

		_, err := v.Verify(t.Context(), token)
		if (step.want == "") != (err == nil) || (err != nil && code(err) != step.want) {
			t.Errorf("after %s: %v, want %q", step.after, err, step.want)
		}
	}
}

func TestCacheIsBounded(t *testing.T) {
	t.Parallel()
	c := start()

	v := verifier(t, hs256(), c)
	for i := range auth.CacheBound + 1000 {
		if _, err := v.Verify(
			t.Context(),
			authtest.HS256(t, authtest.Secret, authtest.Claims(c.at, fmt.Sprint("user", i))),
		); err != nil {
			t.Fatal(err)
		}

		if size := auth.CacheSize(v); size > auth.CacheBound {
			t.Fatalf("%d tokens are remembered", size)
		}
	}
}

func TestVerificationOff(t *testing.T) {
	t.Parallel()
	c := start()

	var log bytes.Buffer

	v, err := auth.New(
		t.Context(),
		auth.Config{},
		auth.Dependencies{Now: c.now, Logger: slog.New(slog.NewTextHandler(&log, nil))},
	)
	if err != nil {
		t.Fatal(err)
	}

	if !strings.Contains(log.String(), "WARN") || !strings.Contains(log.String(), "NOT VERIFIED") {
		t.Errorf("no loud warning: %s", log.String())
	}

	expired := authtest.Claims(c.at.Add(-time.Hour*24), "user123")
	for name, token := range map[string]string{
		"other secret": authtest.HS256(t, "whatever", authtest.Claims(c.at, "user123")),
		"expired":      authtest.HS256(t, "whatever", expired),
		"no exp":       authtest.Raw("", `{"alg":"none"}`, `{"userId":"user123"}`),
	} {
		got, err := v.Verify(t.Context(), token)
		if err != nil || got.UserID != "user123" || got.Verified {
			t.Errorf("%s: %+v %v", name, got, err)
		}
	}

	for _, tc := range authtest.Forged(t, authtest.Secret, c.at) {
		_, err := v.Verify(t.Context(), tc.Token)

		wellFormed := !strings.Contains(
			"token_malformed token_too_large token_type_refused",
			tc.Code,
		)
		if !wellFormed && code(err) != tc.Code {
			t.Errorf("%s: %v, want %s", tc.Name, err, tc.Code)
		}
	}
}

func TestOptional(t *testing.T) {
	t.Parallel()
	c := start()
	deps := auth.Dependencies{Now: c.now, Logger: slog.New(slog.DiscardHandler)}

	off, err := auth.NewOptional(t.Context(), auth.Optional{}, deps)
	if err != nil || off != nil || off.Ready(t.Context()) != nil {
		t.Errorf("off: %v %v", off, err)
	}

	on, err := auth.NewOptional(t.Context(), auth.Optional{Required: true, Config: hs256()}, deps)
	if err != nil || on == nil {
		t.Errorf("on: %v %v", on, err)
	}

	for name, tc := range map[string]struct {
		o          auth.Optional
		production bool
		want       int
	}{
		"off": {auth.Optional{}, false, 0}, "off in production": {auth.Optional{}, true, 1},
		"on": {auth.Optional{Required: true, Config: hs256()}, true, 0}, "on without key": {auth.Optional{Required: true, Config: auth.Config{Algorithm: "HS256", RequireValidation: true}}, false, 1},
	} {
		if faults := tc.o.Validate(tc.production); len(faults) != tc.want {
			t.Errorf("%s: %v", name, faults)
		}
	}
}
