package main

import (
	"strings"
	"testing"

	"tributary/platform/config"
)

// What is right on the local stack only is refused in production, all of it in one list.
func TestProductionRefusesTheLocalStacksSettings(t *testing.T) {
	t.Chdir(t.TempDir()) // no .env

	if err := config.Load(new(settings)); err == nil {
		t.Fatal("tokens are checked by default, and without a key that is refused")
	}

	t.Setenv("AUTH_REQUIRED", "false")

	if err := config.Load(new(settings)); err != nil {
		t.Fatalf("development: %v", err)
	}

	t.Setenv("APP_ENV", "production")
	t.Setenv(
		"DATABASE_URL",
		"postgres://commission_user:commission_password@db.internal:5432/commissiondb?sslmode=disable",
	)

	err := config.Load(new(settings))
	if err == nil {
		t.Fatal("production takes the local stack's settings")
	}

	for _, part := range []string{"AUTH_REQUIRED", "example password", "sslmode", "PULSAR_SERVICE_URL", "ACCOUNT_DETAILS_KEYS"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("the refusal does not name %s: %v", part, err)
		}
	}
}
