// Package config reads a service's settings from the environment. A .env file in the working
// directory supplies the variables that the environment does not set.
package config

import (
	"errors"
	"fmt"
	"io/fs"
	"net/url"

	"github.com/joho/godotenv"
	"github.com/kelseyhightower/envconfig"
)

// Settings can be validated. Validate returns every fault, so that a refused start lists all of
// them.
type Settings interface {
	Validate() []string
}

// Load fills settings and validates them. Its error names every fault, one on a line.
func Load(settings Settings) error {
	if err := godotenv.Load(); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("read .env: %w", err)
	}

	if err := envconfig.Process("", settings); err != nil {
		return fmt.Errorf("settings: %w", err)
	}

	faults := settings.Validate()
	if len(faults) == 0 {
		return nil
	}

	text := "the settings are refused:"
	for _, f := range faults {
		text += "\n  - " + f
	}

	return errors.New(text)
}

// Service holds the settings common to all services.
type Service struct {
	// AppEnv is `development` or `production`, and must be set. Production: refuses every insecure
	// setting at start, in one list.
	AppEnv string `envconfig:"APP_ENV"`
	// LogLevel is `debug`, `info`, `warn` or `error`.
	LogLevel string `envconfig:"LOG_LEVEL" default:"info"`
	// OTLPEndpoint is the destination of traces (OTLP over HTTP), such as http://localhost:4318;
	// empty for no tracing.
	OTLPEndpoint string `envconfig:"OTEL_EXPORTER_OTLP_ENDPOINT"`
	// MetricsAddr is the address that /metrics is served on, such as 127.0.0.1:9090; empty for that
	// of the API. Production: required, so that metrics are not open to callers.
	MetricsAddr string `envconfig:"METRICS_ADDR"`
}

// Production reports whether insecure settings are refused.
func (s Service) Production() bool { return s.AppEnv == "production" }

// Validate returns a message for each invalid common setting.
func (s Service) Validate() []string {
	var faults []string
	if s.AppEnv != "development" && s.AppEnv != "production" {
		faults = append(faults, "APP_ENV must be set to development or production")
	}

	switch s.LogLevel {
	case "debug", "info", "warn", "error":
	default:
		faults = append(faults, "LOG_LEVEL must be debug, info, warn or error")
	}

	if s.Production() && s.MetricsAddr == "" {
		faults = append(
			faults,
			"METRICS_ADDR must be set in production, to an address that callers do not reach, such "+
				"as 127.0.0.1:9090: /metrics is not for them",
		)
	}

	if s.OTLPEndpoint == "" {
		return faults
	}

	address, err := url.Parse(s.OTLPEndpoint)
	switch {
	case err != nil || address.Host == "" || (address.Scheme != "http" && address.Scheme != "https"):
		faults = append(
			faults,
			"OTEL_EXPORTER_OTLP_ENDPOINT must look like http://localhost:4318",
		)
	case s.Production() && PlainRemote(s.OTLPEndpoint):
		faults = append(
			faults,
			"OTEL_EXPORTER_OTLP_ENDPOINT must be https in production, except on this machine",
		)
	}

	return faults
}
