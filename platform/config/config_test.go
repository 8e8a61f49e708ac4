package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tributary/platform/config"
)

type settings struct {
	config.Service
	Name string `envconfig:"TEST_CONFIG_NAME" default:"unset"`
}

func (s *settings) Validate() []string {
	faults := s.Service.Validate()
	if s.Name == "" {
		faults = append(faults, "TEST_CONFIG_NAME must not be empty")
	}

	return faults
}

// inDir runs the test in a directory with the .env file. The working directory and the environment
// belong to the process, so these tests are not parallel.
func inDir(t *testing.T, dotenv string) {
	t.Helper()

	dir := t.TempDir()
	if dotenv != "" {
		if err := os.WriteFile(filepath.Join(dir, ".env"), []byte(dotenv), 0o600); err != nil {
			t.Fatal(err)
		}
	}

	t.Chdir(dir)
}

func TestLoadPrefersTheEnvironmentOverTheFile(t *testing.T) {
	inDir(t, "TEST_CONFIG_NAME=file\nLOG_LEVEL=debug\n")
	t.Setenv("APP_ENV", "development")
	t.Setenv("TEST_CONFIG_NAME", "environment")
	t.Setenv("LOG_LEVEL", "warn") // registered so that the file's value is reset after the test

	if err := os.Unsetenv("LOG_LEVEL"); err != nil {
		t.Fatal(err)
	}

	var s settings
	if err := config.Load(&s); err != nil {
		t.Fatalf("Load: %v", err)
	}

	if s.Name != "environment" || s.LogLevel != "debug" || s.AppEnv != "development" {
		t.Fatalf(
			"settings = %+v; want the environment's name, the file's level, APP_ENV",
			s,
		)
	}
}

func TestLoadTellsEveryFaultAtOnce(t *testing.T) {
	inDir(t, "")
	t.Setenv("APP_ENV", "staging")
	t.Setenv("LOG_LEVEL", "loud")
	t.Setenv("TEST_CONFIG_NAME", "")

	err := config.Load(new(settings))
	if err == nil {
		t.Fatal("Load = nil, want a refusal")
	}

	for _, name := range []string{"APP_ENV", "LOG_LEVEL", "TEST_CONFIG_NAME"} {
		if !strings.Contains(err.Error(), name) {
			t.Errorf("the refusal does not name %s: %v", name, err)
		}
	}
}

//nolint:paralleltest // changes the environment
func TestProduction(t *testing.T) {
	if (config.Service{AppEnv: "development"}).Production() ||
		!(config.Service{AppEnv: "production"}).Production() {
		t.Fatal("Production does not follow APP_ENV")
	}
}
