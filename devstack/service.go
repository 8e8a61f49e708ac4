package devstack

import (
	"context"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"time"
)

// Programs that are built from the checkout, by the package that each is.
var programs = map[string]string{ //nolint:gochecknoglobals // a constant table
	"bff": "./bff/cmd/bff", "tracking": "./tracking/cmd/tracking", "commission": "./commission/cmd/commission",
	"migrate": "./migrations/cmd/migrate", "provision": "./contracts/cmd/provision", "generate-jwt": "./bff/cmd/generate-jwt",
}

// build compiles every program into State; what is up to date stays as it is.
func (c Config) build(ctx context.Context) error {
	if err := os.MkdirAll(filepath.Join(c.State, "bin"), 0o755); err != nil { //nolint:gosec // programs are for everybody
		return err
	}
	args := []string{"build", "-trimpath", "-o", filepath.Join(c.State, "bin") + string(filepath.Separator)}
	cmd := exec.CommandContext(ctx, "go", append(args, slices.Sorted(maps.Values(programs))...)...) //nolint:gosec // constants
	cmd.Dir = c.Root
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	return c.progress("building the services (a first build takes some minutes)", cmd)
}

// run runs a program of ours to its end and shows what it prints.
func (c Config) run(ctx context.Context, program string, args ...string) error {
	cmd := exec.CommandContext(ctx, c.binary(program), args...) //nolint:gosec // ours
	cmd.Env, cmd.Dir = c.environment(), c.State
	output, err := cmd.CombinedOutput()
	if len(output) > 0 {
		_, _ = c.Out.Write(output)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", program, err)
	}
	return nil
}

// service is one of ours. An extra replica has another name and port.
func (c Config) service(program, name string, port int, extra ...string) unit {
	env := append(c.environment(), append([]string{"HTTP_ADDR=127.0.0.1:" + itoa(port)}, extra...)...)
	var built string
	if info, err := os.Stat(c.binary(program)); err == nil {
		built = info.ModTime().String()
	}
	return unit{
		name: name, ports: []int{port}, spec: built + fmt.Sprint(extra, c.fingerprint()), signal: syscall.SIGTERM, patient: 40 * time.Second,
		command: func(ctx context.Context) (*exec.Cmd, error) {
			cmd := exec.CommandContext(ctx, c.binary(program)) //nolint:gosec // ours
			cmd.Env, cmd.Dir = env, c.State
			return cmd, nil
		},
		ready: func(ctx context.Context) error { return answers(ctx, fmt.Sprintf("http://127.0.0.1:%d/readyz", port)) },
	}
}

func (c Config) bff() unit {
	return c.service("bff", "bff", c.Ports.BFF, "COMMISSION_URL="+fmt.Sprintf("http://127.0.0.1:%d", c.Ports.Commission))
}

func (c Config) tracking() unit {
	return c.service("tracking", "tracking", c.Ports.Tracking, "DATABASE_URL="+c.databaseURL("tracking", c.Ports.TrackingDB))
}

func (c Config) commission() unit {
	return c.service("commission", "commission", c.Ports.Commission, "DATABASE_URL="+c.databaseURL("commission", c.Ports.CommissionDB))
}

// databaseURL is what a service connects with: its own role, which cannot alter the schema.
func (c Config) databaseURL(name string, port int) string {
	password := map[string]string{"tracking": c.value("TRACKING_DB_PASSWORD", "tracking_password"), "commission": c.value("COMMISSION_DB_PASSWORD", "commission_password")}[name]
	return fmt.Sprintf("postgres://%s_user:%s@127.0.0.1:%d/%sdb?sslmode=disable", name, password, port, name)
}

func (c Config) value(name, otherwise string) string {
	if v := c.Env[name]; v != "" {
		return v
	}
	return otherwise
}

// environment is that of every program of ours: .env and the real environment, with the addresses of this stack.
func (c Config) environment() []string {
	env := maps.Clone(c.Env)
	env["TRACKING_MIGRATION_URL"] = ownerURL(c.Ports.TrackingDB, "trackingdb")
	env["COMMISSION_MIGRATION_URL"] = ownerURL(c.Ports.CommissionDB, "commissiondb")
	if c.localBroker() {
		env["PULSAR_SERVICE_URL"] = fmt.Sprintf("pulsar://127.0.0.1:%d", c.Ports.Pulsar)
		env["PULSAR_ADMIN_URL"] = fmt.Sprintf("http://127.0.0.1:%d", c.Ports.PulsarAdmin)
	}
	if env["AUTH_REQUIRED"] == "" {
		env["AUTH_REQUIRED"] = "false"
	}
	list := make([]string, 0, len(env))
	for _, name := range slices.Sorted(maps.Keys(env)) {
		list = append(list, name+"="+env[name])
	}
	return list
}

// fingerprint changes with the settings that services read from .env.
func (c Config) fingerprint() string {
	text := ""
	for _, name := range []string{"APP_ENV", "LOG_LEVEL", "JWT_SECRET_KEY", "JWT_ALGORITHM", "JWT_REQUIRE_VALIDATION", "PULSAR_SERVICE_URL", "PULSAR_TOKEN", "PULSAR_TENANT", "PULSAR_NAMESPACE", "PULSAR_TOPIC", "AUTH_REQUIRED"} {
		text += name + "=" + c.Env[name] + ";"
	}
	return text
}

// localBroker tells whether the stack runs its own broker: unless PULSAR_SERVICE_URL names another.
func (c Config) localBroker() bool {
	switch c.Env["PULSAR_SERVICE_URL"] {
	case "", "pulsar://localhost:6650", "pulsar://127.0.0.1:6650":
		return true
	}
	return false
}
