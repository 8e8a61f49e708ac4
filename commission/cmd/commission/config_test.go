package main

import (
	"strings"
	"testing"

	"tributary/platform/config"
)

// Production refuses the insecure settings of the local stack, all of them in one list.
func TestProductionRefusesTheLocalStacksSettings(t *testing.T) {
	t.Chdir(t.TempDir()) // no .env
	t.Setenv("APP_ENV", "development")

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

	for _, part := range []string{"AUTH_REQUIRED", "METRICS_ADDR", "example password", "sslmode", "PULSAR_SERVICE_URL", "PULSAR_TOKEN", "ACCOUNT_DETAILS_KEYS"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("the refusal does not name %s: %v", part, err)
		}
	}
}

// Each of these settings alone keeps production from starting.
//
//nolint:paralleltest // changes the environment
func TestProductionRefusesEachInsecureSetting(t *testing.T) {
	load := func(t *testing.T, name, value string) error {
		t.Helper()
		t.Chdir(t.TempDir())

		environment := map[string]string{
			"APP_ENV":              "production",
			"METRICS_ADDR":         "127.0.0.1:9090",
			"JWT_SECRET_KEY":       "kP7v!xZ2mQ9w#Lr4bN8s@Td6hJ1yFg5c",
			"JWT_ISSUER":           "https://sso.example.com/",
			"JWT_AUDIENCE":         "tributary",
			"PULSAR_SERVICE_URL":   "pulsar+ssl://broker:6651",
			"PULSAR_TOKEN":         "eyJhbGciOiJub25lIn0.e30.",
			"ACCOUNT_DETAILS_KEYS": "2026-11:w7kZ0V7qBf3m9Xo2hJt5cR8yLs1nQe4uGd6aTiPzKvM=",
			"DATABASE_URL":         "postgres://commission_user:Vq8-rT2m_Zx4@db.internal/d?sslmode=verify-full",
		}
		if name != "" {
			environment[name] = value
		}

		for name, value := range environment {
			t.Setenv(name, value)
		}

		return config.Load(new(settings))
	}

	if err := load(t, "", ""); err != nil {
		t.Fatalf("good settings: %v", err)
	}

	for _, tc := range [][2]string{
		{"APP_ENV", ""},
		{"AUTH_REQUIRED", "false"},
		{"JWT_AUDIENCE", ""},
		{"PULSAR_TOKEN", ""},
		{"RATE_LIMIT", "0"},
		{"PAYOUT_FOUR_EYES", "false"},
		{"PAYOUT_FOUR_EYES", "perhaps"},
		{"PAYOUT_MINIMUM", "USD:twenty"},
		{"OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318"},
		{"ACCOUNT_DETAILS_KEYS", "k:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="},
		{"DATABASE_URL", "postgres://commission_user:Vq8-rT2m_Zx4@db.internal/d?sslmode=require"},
		{"DATABASE_URL", "postgres://commission_user:Vq8-rT2m_Zx4@localhost/d?host=db.internal"},
		{"DATABASE_URL", "postgres://postgres:Vq8-rT2m_Zx4@db.internal/d?sslmode=verify-full"},
		{"DATABASE_URL", "postgres://commission_user@db.internal/d?sslmode=verify-full&password=postgres"},
	} {
		t.Run(tc[0]+"="+tc[1], func(t *testing.T) {
			err := load(t, tc[0], tc[1])
			if err == nil || strings.Count(err.Error(), "\n  - ") != 1 ||
				!strings.Contains(err.Error(), "- "+tc[0]) {
				t.Errorf("%v", err)
			}
		})
	}
}
