package main

import (
	"strings"
	"testing"

	"tributary/platform/config"
)

// load reads the settings from an environment of these pairs only.
func load(t *testing.T, environment map[string]string) (settings, error) {
	t.Helper()
	t.Chdir(t.TempDir())

	t.Setenv("APP_ENV", "development")

	for name, value := range environment {
		t.Setenv(name, value)
	}

	var s settings
	err := config.Load(&s)

	return s, err
}

const goodSecret = "kP7v!xZ2mQ9w#Lr4bN8s@Td6hJ1yFg5c"

//nolint:paralleltest // changes the environment
func TestDefaults(t *testing.T) {
	s, err := load(t, map[string]string{"JWT_SECRET_KEY": goodSecret})
	if err != nil {
		t.Fatal(err)
	}

	if s.HTTPAddr != ":8002" || s.CommissionURL != "http://localhost:8001" ||
		!s.Auth.RequireValidation ||
		s.Auth.Algorithm != "HS256" ||
		s.Broker.ServiceURL != "pulsar://localhost:6650" ||
		len(s.CORS.Origins) != 0 ||
		s.RateLimit != 600 {
		t.Errorf("%+v", s)
	}
}

// Production refuses every insecure setting in one list.
//
//nolint:paralleltest // changes the environment
func TestProductionRefusals(t *testing.T) {
	_, err := load(t, map[string]string{
		"APP_ENV":                "production",
		"JWT_SECRET_KEY":         "development-only-secret-change-me-in-production",
		"PULSAR_SERVICE_URL":     "pulsar://broker:6650",
		"JWT_REQUIRE_VALIDATION": "true",
	})
	if err == nil {
		t.Fatal("production starts with development's settings")
	}

	for _, name := range []string{"JWT_SECRET_KEY", "PULSAR_SERVICE_URL", "ACCOUNT_DETAILS_KEYS", "METRICS_ADDR"} {
		if strings.Count(err.Error(), "- "+name) != 1 {
			t.Errorf("%s is not refused once: %v", name, err)
		}
	}

	if strings.Contains(err.Error(), "development-only") {
		t.Errorf("the refusal shows the secret: %v", err)
	}
}

// good returns settings that production accepts.
func good() map[string]string {
	return map[string]string{
		"APP_ENV":              "production",
		"METRICS_ADDR":         "127.0.0.1:9090",
		"JWT_SECRET_KEY":       goodSecret,
		"JWT_ISSUER":           "https://sso.example.com/",
		"JWT_AUDIENCE":         "tributary",
		"PULSAR_SERVICE_URL":   "pulsar+ssl://broker:6651",
		"PULSAR_TOKEN":         "eyJhbGciOiJub25lIn0.e30.",
		"ACCOUNT_DETAILS_KEYS": "2026-11:w7kZ0V7qBf3m9Xo2hJt5cR8yLs1nQe4uGd6aTiPzKvM=",
		"COMMISSION_URL":       "https://commission.example.com",
		"CORS_ALLOWED_ORIGINS": "https://app.example.com",
	}
}

// Each of these settings alone keeps production from starting.
//
//nolint:paralleltest // changes the environment
func TestProductionRefusesEachInsecureSetting(t *testing.T) {
	if _, err := load(t, good()); err != nil {
		t.Fatalf("good settings: %v", err)
	}

	for _, tc := range [][2]string{
		{"APP_ENV", ""},
		{"JWT_REQUIRE_VALIDATION", "false"},
		{"JWT_SECRET_KEY", "abcdefghijklmnopqrstuvwxyz0123456789"},
		{"JWT_ISSUER", ""},
		{"JWT_AUDIENCE", ""},
		{"PULSAR_SERVICE_URL", "pulsar://broker:6650"},
		{"PULSAR_TOKEN", ""},
		{"PULSAR_TOKEN", " "},
		{"ACCOUNT_DETAILS_KEYS", ""},
		{"ACCOUNT_DETAILS_KEYS", "k:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="},
		{"ACCOUNT_DETAILS_KEYS", "k:MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="},
		{"ACCOUNT_DETAILS_KEYS", "k:a1A3diF4WjJtUTl3I0xyNGJOOHNAVGQ2aEoxeUZnNWM="},
		{"COMMISSION_URL", "http://commission-service:8001"},
		{"COMMISSION_URL", "http://10.0.0.7:8001"},
		{"COMMISSION_URL", "http://localhost.example.com:8001"},
		{"CORS_ALLOWED_ORIGINS", "https://*.com"},
		{"CORS_ALLOWED_ORIGINS", "https://app.example.com,https://*.example.com"},
		{"CORS_ALLOWED_ORIGINS", "http://app.example.com"},
		{"CORS_ALLOWED_ORIGINS", "https://app.example.com,http://localhost:3000"},
		{"RATE_LIMIT", "0"},
		{"OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318"},
		{"OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4318"},
	} {
		environment := good()
		environment[tc[0]] = tc[1]

		t.Run(tc[0]+"="+tc[1], func(t *testing.T) {
			_, err := load(t, environment)
			if err == nil || strings.Count(err.Error(), "\n  - ") != 1 ||
				!strings.Contains(err.Error(), "- "+tc[0]) {
				t.Errorf("%v", err)
			}
		})
	}

	for name, value := range map[string]string{
		"COMMISSION_URL":              "http://127.0.0.1:8001",
		"OTEL_EXPORTER_OTLP_ENDPOINT": "http://localhost:4318",
	} {
		environment := good()
		environment[name] = value

		t.Run(name+" on this machine", func(t *testing.T) {
			if _, err := load(t, environment); err != nil {
				t.Errorf("%v", err)
			}
		})
	}
}

//nolint:paralleltest // changes the environment
func TestFaultySettings(t *testing.T) {
	for name, value := range map[string]string{
		"JWT_SECRET_KEY": "short", "COMMISSION_URL": "localhost:8001", "RATE_LIMIT": "-1", "RATE_LIMIT_WINDOW": "1ms", "CORS_ALLOWED_ORIGINS": "*",
		"PULSAR_SERVICE_URL": "http://localhost", "APP_ENV": "staging", "JWT_ALGORITHM": "none",
	} {
		t.Run(name, func(t *testing.T) {
			_, err := load(t, map[string]string{"JWT_SECRET_KEY": goodSecret, name: value})
			if err == nil || !strings.Contains(err.Error(), name) {
				t.Errorf("%s=%s: %v", name, value, err)
			}
		})
	}

	for _, origin := range []string{"https://*", "https://*.example.com", "https://app.example/", "https://app.example/path", "https://u@app.example", "app.example", "ftp://app.example", "null"} {
		if _, err := load(
			t,
			map[string]string{"JWT_SECRET_KEY": goodSecret, "CORS_ALLOWED_ORIGINS": origin},
		); err == nil {
			t.Errorf("origin %s is taken", origin)
		}
	}

	if s, err := load(
		t,
		map[string]string{
			"JWT_SECRET_KEY":       goodSecret,
			"CORS_ALLOWED_ORIGINS": "https://app.example,http://localhost:3000",
		},
	); err != nil ||
		len(s.CORS.Origins) != 2 {
		t.Errorf("%v %v", s.CORS.Origins, err)
	}
}
