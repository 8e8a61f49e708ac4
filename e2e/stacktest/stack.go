// Package stacktest is a running stack as its users see it: addresses, requests, tokens, messages,
// and row counts. The suites of this module share it. They know nothing of the services' code.
package stacktest

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"tributary/devstack"
)

// Stack holds the addresses of a running stack.
type Stack struct {
	BFF, Tracking, Commission string // base URLs
	Pulsar, PulsarAdmin       string
	Tenant, Namespace         string
	TrackingDB, CommissionDB  string // connection URLs of the services' own roles
	Secret                    string // with which the BFF verifies tokens (HS256)
	Parts                     Parts  // nil if another process owns the stack
	State                     string // where a private stack writes all its files
	Root                      string // the checkout
}

// Parts stops and starts single processes of a stack by name: tracking-db, commission-db, pulsar,
// bff, tracking, commission. Start returns when the process is ready.
type Parts interface {
	Start(ctx context.Context, name string) error
	Stop(ctx context.Context, name string) error
	Kill(ctx context.Context, name string) error
}

// secret is the secret of private stacks; at least 32 bytes.
const secret = "only-for-tests-0123456789-abcdefghijklmnop"

// Run is the body of a suite's TestMain. It passes a stack to use, runs the tests and returns the
// exit code. The stack is the one that E2E_BFF_URL and its companions name, or without them a
// private one, as in RunPrivate.
func Run(m *testing.M, use func(*Stack)) int {
	root, err := checkout()
	if err != nil {
		return failed(err)
	}

	if os.Getenv("E2E_BFF_URL") == "" {
		return RunPrivate(m, use)
	}

	use(fromEnvironment(root))

	return m.Run()
}

// RunPrivate is Run for suites that stop processes: a stack of their own starts on free ports and
// is removed at the end, even if the run is interrupted or takes too long. settings are NAME=value,
// for the services of this stack.
func RunPrivate(m *testing.M, use func(*Stack), settings ...string) int {
	root, err := checkout()
	if err != nil {
		return failed(err)
	}

	//nolint:forbidigo // TestMain has no context
	stack, remove, err := private(context.Background(), root, settings)
	if err != nil {
		return failed(errors.Join(err, remove()))
	}

	guard(remove)
	use(stack)

	code := m.Run()
	if code != 0 {
		complaints(os.Stderr, stack.State)
	}

	if err := remove(); err != nil {
		return failed(err)
	}

	return code
}

// complaints prints the last warnings and errors of every process of a private stack, whose logs
// are about to be removed. Refused requests are left out: the tests send thousands of them.
func complaints(w io.Writer, state string) {
	const most, width = 20, 500

	files, _ := filepath.Glob(filepath.Join(state, "logs", "*.log"))
	for _, file := range files {
		text, _ := os.ReadFile(file) //nolint:gosec // of the stack that this test made

		var last []string
		for line := range strings.Lines(string(text)) {
			complains := strings.Contains(line, "WARN") || strings.Contains(line, "ERROR") ||
				strings.Contains(line, "FATAL")
			if !complains || strings.Contains(line, `"msg":"request `) {
				continue
			}

			last = append(
				last[max(0, len(last)-most+1):],
				strings.TrimSpace(line[:min(len(line), width)]),
			)
		}

		_, _ = fmt.Fprintf(
			w,
			"--- the last warnings of %s\n%s\n",
			filepath.Base(file),
			strings.Join(last, "\n"),
		)
	}
}

func failed(err error) int {
	_, _ = fmt.Fprintln(os.Stderr, err)
	return 1
}

// guard removes the stack if the tests do not complete.
func guard(remove func() error) {
	flag.Parse()

	late := make(<-chan time.Time)
	if limit, err := time.ParseDuration(flag.Lookup("test.timeout").Value.String()); err == nil &&
		limit > time.Minute {
		late = time.After(limit - 30*time.Second)
	}

	interrupted := make(chan os.Signal, 1)

	signal.Notify(interrupted, os.Interrupt, syscall.SIGTERM)
	go func() {
		select {
		case <-interrupted:
		case <-late:
			_, _ = fmt.Fprintln(os.Stderr, "the tests take too long: removing their stack")
		}

		if err := remove(); err != nil {
			_ = failed(err)
		}

		os.Exit(1)
	}()
}

// fromEnvironment returns the running stack that the environment names; unset values are those of
// the local stack.
func fromEnvironment(root string) *Stack {
	get := func(name, otherwise string) string {
		if value := os.Getenv(name); value != "" {
			return value
		}

		return otherwise
	}

	return &Stack{
		BFF:         get("E2E_BFF_URL", "http://127.0.0.1:8002"),
		Tracking:    get("E2E_TRACKING_URL", "http://127.0.0.1:8000"),
		Commission:  get("E2E_COMMISSION_URL", "http://127.0.0.1:8001"),
		Pulsar:      get("E2E_PULSAR_URL", "pulsar://127.0.0.1:6650"),
		PulsarAdmin: get("E2E_PULSAR_ADMIN_URL", "http://127.0.0.1:8080"),
		Tenant:      get("PULSAR_TENANT", "public"),
		Namespace:   get("PULSAR_NAMESPACE", "default"),
		TrackingDB: get(
			"E2E_TRACKING_DATABASE_URL",
			"postgres://tracking_user:tracking_password@127.0.0.1:5432/trackingdb?sslmode=disable",
		),
		CommissionDB: get(
			"E2E_COMMISSION_DATABASE_URL",
			"postgres://commission_user:commission_password@127.0.0.1:5433/commissiondb?sslmode=disable",
		),
		Secret: get("JWT_SECRET_KEY", "development-only-secret-change-me-in-production"),
		Root:   root,
	}
}

// private starts a stack for this suite alone. remove may be called more than once.
func private(
	ctx context.Context,
	root string,
	settings []string,
) (stack *Stack, remove func() error, err error) {
	nothing := func() error { return nil }

	dir, err := os.MkdirTemp("", "tributary-e2e-")
	if err != nil {
		return nil, nothing, err
	}

	remove = func() error { return os.RemoveAll(dir) }
	if err := os.Chmod(dir, 0o755); err != nil { //nolint:gosec // the databases' user must pass
		return nil, remove, err
	}

	config, err := devstack.Load(root, os.Stderr)
	if err != nil {
		return nil, remove, err
	}

	if config, err = config.Private(ctx, dir); err != nil {
		return nil, remove, err
	}

	for name, value := range map[string]string{
		"APP_ENV":                "development",
		"JWT_SECRET_KEY":         secret,
		"JWT_ALGORITHM":          "HS256",
		"JWT_REQUIRE_VALIDATION": "true",
		"JWT_ISSUER":             "",
		"JWT_AUDIENCE":           "",
		"AUTH_REQUIRED":          "false",
		"RATE_LIMIT":             "0",
		"TRACKING_RATE_LIMIT":    "0",
		"ACCOUNT_DETAILS_KEYS":   "",
		"PULSAR_TOKEN":           "",
		"PULSAR_TENANT":          "public",
		"PULSAR_NAMESPACE":       "default",
		"PULSAR_TOPIC":           "persistent://public/default/tracking-events",
	} {
		config.Env[name] = value
	}

	for _, setting := range settings {
		name, value, _ := strings.Cut(setting, "=")
		config.Env[name] = value
	}

	remove = func() error { return config.Clean(ctx) }
	if err := config.Up(ctx); err != nil {
		return nil, remove, err
	}

	local := func(scheme string, port int) string { return fmt.Sprintf("%s://127.0.0.1:%d", scheme, port) }
	database := func(name string, port int) string {
		return fmt.Sprintf(
			"postgres://%s_user:%s_password@127.0.0.1:%d/%sdb?sslmode=disable",
			name,
			name,
			port,
			name,
		)
	}

	return &Stack{
		BFF:          local("http", config.Ports.BFF),
		Tracking:     local("http", config.Ports.Tracking),
		Commission:   local("http", config.Ports.Commission),
		Pulsar:       local("pulsar", config.Ports.Pulsar),
		PulsarAdmin:  local("http", config.Ports.PulsarAdmin),
		Tenant:       "public",
		Namespace:    "default",
		TrackingDB:   database("tracking", config.Ports.TrackingDB),
		CommissionDB: database("commission", config.Ports.CommissionDB),
		Secret:       secret,
		Parts:        config,
		State:        config.State,
		Root:         root,
	}, remove, nil
}

func checkout() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}

	return devstack.Root(dir)
}
