package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"tributary/platform/auth"
)

const testSecret = "kP7v!xZ2mQ9w#Lr4bN8s@Td6hJ1yFg5c"

// printed runs the command in an empty directory with the environment and returns its output.
func printed(t *testing.T, environment map[string]string, args ...string) (string, error) {
	t.Helper()
	t.Chdir(t.TempDir())

	for name, value := range environment {
		t.Setenv(name, value)
	}

	var out, notes bytes.Buffer
	err := run(args, &out, &notes)

	return out.String(), err
}

func accepted(t *testing.T, cfg auth.Config, text string) auth.Identity {
	t.Helper()

	if strings.Count(text, "\n") != 1 || strings.ContainsAny(strings.TrimSpace(text), " \n") {
		t.Fatalf("prints more than a token: %q", text)
	}

	cfg.RequireValidation, cfg.Leeway = true, time.Second
	if faults := cfg.Validate(false); len(faults) > 0 {
		t.Fatal(faults)
	}

	v, err := auth.New(
		t.Context(),
		cfg,
		auth.Dependencies{Now: time.Now, Logger: slog.New(slog.DiscardHandler)},
	)
	if err != nil {
		t.Fatal(err)
	}

	identity, err := v.Verify(t.Context(), strings.TrimSpace(text))
	if err != nil {
		t.Fatal(err)
	}

	return identity
}

//nolint:paralleltest // changes the environment
func TestTokenIsAcceptedByTheSameSettings(t *testing.T) {
	text, err := printed(
		t,
		map[string]string{"JWT_SECRET_KEY": testSecret, "JWT_ISSUER": "me", "JWT_AUDIENCE": "bff"},
		"-user",
		"alice",
		"-roles",
		"partner,operator",
		"-lifetime",
		"1h",
		"-claim",
		"tenant=acme",
		"-claim",
		"level=3",
	)
	if err != nil {
		t.Fatal(err)
	}

	identity := accepted(
		t,
		auth.Config{Secret: testSecret, Algorithm: "HS256", Issuer: "me", Audience: "bff"},
		text,
	)
	if identity.UserID != "alice" ||
		!slices.Equal(identity.Roles, []auth.Role{"partner", "operator"}) {
		t.Errorf("identity %+v", identity)
	}

	if left := time.Until(identity.ExpiresAt); left < 59*time.Minute || left > time.Hour {
		t.Errorf("expires in %s", left)
	}
}

// Without a secret the token has the secret of the local stacks, like a .env that leaves it out.
//
//nolint:paralleltest // changes the environment
func TestWithoutASecret(t *testing.T) {
	for _, environment := range []map[string]string{nil, {"JWT_SECRET_KEY": ""}} {
		text, err := printed(t, environment)
		if err != nil {
			t.Fatal(err)
		}

		accepted(
			t,
			auth.Config{
				Secret:    "development-only-secret-change-me-in-production",
				Algorithm: "HS256",
			},
			text,
		)
	}
}

//nolint:paralleltest // changes the environment
func TestClaimsReplaceTheOthers(t *testing.T) {
	text, err := printed(
		t,
		map[string]string{"JWT_SECRET_KEY": testSecret},
		"-claim",
		"sub=bob",
		"-claim",
		`roles=["admin"]`,
	)
	if err != nil {
		t.Fatal(err)
	}

	identity := accepted(t, auth.Config{Secret: testSecret, Algorithm: "HS256"}, text)
	if identity.UserID != "bob" || !slices.Equal(identity.Roles, []auth.Role{"admin"}) {
		t.Errorf("identity %+v", identity)
	}
}

//nolint:paralleltest // changes the environment
func TestES256(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}

	dir := t.TempDir()
	private, _ := x509.MarshalPKCS8PrivateKey(key)

	public, _ := x509.MarshalPKIXPublicKey(key.Public())
	for name, block := range map[string]*pem.Block{"private.pem": {Type: "PRIVATE KEY", Bytes: private}, "public.pem": {Type: "PUBLIC KEY", Bytes: public}} {
		if err := os.WriteFile(
			filepath.Join(dir, name),
			pem.EncodeToMemory(block),
			0o600,
		); err != nil {
			t.Fatal(err)
		}
	}

	text, err := printed(
		t,
		map[string]string{
			"JWT_ALGORITHM":        "ES256",
			"JWT_PRIVATE_KEY_FILE": filepath.Join(dir, "private.pem"),
			"JWT_ISSUER":           "me",
			"JWT_AUDIENCE":         "bff",
		},
	)
	if err != nil {
		t.Fatal(err)
	}

	cfg := auth.Config{
		Algorithm:     "ES256",
		PublicKeyFile: filepath.Join(dir, "public.pem"),
		Issuer:        "me",
		Audience:      "bff",
	}
	if identity := accepted(t, cfg, text); identity.UserID != "user123" {
		t.Errorf("identity %+v", identity)
	}
}

//nolint:paralleltest // changes the environment
func TestWhatCannotBeSigned(t *testing.T) {
	for name, tc := range map[string]struct {
		environment map[string]string
		args        []string
		want        string
	}{
		"short secret":   {map[string]string{"JWT_SECRET_KEY": "short"}, nil, "JWT_SECRET_KEY"},
		"none":           {map[string]string{"JWT_ALGORITHM": "none"}, nil, "JWT_ALGORITHM"},
		"no private key": {map[string]string{"JWT_ALGORITHM": "RS256"}, nil, "JWT_PRIVATE_KEY_FILE"},
		"bad claim":      {map[string]string{"JWT_SECRET_KEY": testSecret}, []string{"-claim", "x"}, "name=value"},
		"stray argument": {map[string]string{"JWT_SECRET_KEY": testSecret}, []string{"alice"}, "argument"},
	} {
		t.Run(name, func(t *testing.T) {
			text, err := printed(t, tc.environment, tc.args...)
			if err == nil || !strings.Contains(err.Error(), tc.want) || text != "" {
				t.Errorf("%q %v, want an error with %s", text, err, tc.want)
			}
		})
	}
}
