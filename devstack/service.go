package devstack

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"maps"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"syscall"
	"time"
)

// Build compiles the services and commands into State. Programs that are up to date are not
// rebuilt.
func (c Config) Build(ctx context.Context) error {
	bin := filepath.Join(c.State, "bin")
	if err := os.MkdirAll(bin, 0o755); err != nil { //nolint:gosec // any user may run the programs
		return err
	}

	// Without the revision inside, a program changes only when its code does.
	args := append(
		[]string{"build", "-buildvcs=false", "-o", bin + string(filepath.Separator)},
		c.packages()...)
	cmd := exec.CommandContext(ctx, "go", args...) //nolint:gosec // constants

	cmd.Dir = c.Root
	if err := c.progress(
		"building the services (the first time takes minutes)",
		cmd,
		nil,
	); err != nil {
		return fmt.Errorf("the services do not compile: %w", err)
	}

	return nil
}

// run runs one of our programs to its end and shows its output.
func (c Config) run(ctx context.Context, program string, args ...string) error {
	cmd := exec.CommandContext(ctx, c.binary(program), args...) //nolint:gosec // ours
	cmd.Env, cmd.Dir = c.environment(program), c.State

	cmd.Stdout, cmd.Stderr = c.Out, c.Out
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s: %w", program, err)
	}

	return nil
}

// service returns the unit of one of our services.
func (c Config) service(program, name string, port int, env ...string) unit {
	env = append([]string{"HTTP_ADDR=" + address(port), c.processors(program)}, env...)

	return unit{
		name:    name,
		ports:   []int{port},
		spec:    c.serviceSpec(program, env),
		signal:  syscall.SIGTERM,
		patient: 3 * time.Minute, // a killed broker may take two
		command: func(ctx context.Context) (*exec.Cmd, error) {
			cmd := exec.CommandContext(ctx, c.binary(program)) //nolint:gosec // ours
			cmd.Env, cmd.Dir = append(c.environment(program), env...), c.State

			return cmd, nil
		},
		ready:  func(ctx context.Context) error { return answers(ctx, "http://"+address(port)+"/readyz") },
		advice: "The log shows what is missing; settings come from .env and the environment.",
	}
}

// processors returns the GOMAXPROCS of a service: half of the machine, since databases, broker and
// three services share it. Threads that look for work on the other half take it from those that
// have some: on two cores the whole path takes a fifth more of the processors' time without this.
// Commission gets all of it: with one thread of two cores it falls behind when batches are sent.
// GOMAXPROCS in .env or the environment takes precedence.
func (c Config) processors(program string) string {
	n := max(1, runtime.NumCPU()/2)
	if program == "commission" {
		n = runtime.NumCPU()
	}

	return "GOMAXPROCS=" + c.value("GOMAXPROCS", itoa(n))
}

func (c Config) services() []unit {
	var units []unit
	for _, s := range c.ours() {
		units = append(units, c.service(s.name, s.name, s.port, s.env...))
	}

	for _, r := range c.Replicas {
		units = append(
			units,
			c.service(
				r.Service,
				r.Name,
				r.Port,
				append(c.serviceEnvironment(r.Service), r.Env...)...),
		)
	}

	return units
}

// databaseURL returns the URL with which a service connects: its own role, which cannot alter the
// schema.
func databaseURL(name, password string, port int) string {
	u := url.URL{
		Scheme:   "postgres",
		User:     url.UserPassword(name+"_user", password),
		Host:     address(port),
		Path:     name + "db",
		RawQuery: "sslmode=disable",
	}

	return u.String()
}

func (c Config) value(name, otherwise string) string {
	if v := c.Env[name]; v != "" {
		return v
	}

	return otherwise
}

// environment returns the environment of one of our programs: .env and the process's environment,
// with the addresses of this stack, without the secrets of other programs.
func (c Config) environment(program string) []string {
	env := maps.Clone(c.Env)
	env["TRACKING_MIGRATION_URL"] = ownerURL(c.Ports.TrackingDB, "trackingdb")

	env["COMMISSION_MIGRATION_URL"] = ownerURL(c.Ports.CommissionDB, "commissiondb")
	if c.localBroker() {
		env["PULSAR_SERVICE_URL"] = c.PulsarURL()
		env["PULSAR_ADMIN_URL"] = c.PulsarAdminURL()
	}

	if env["AUTH_REQUIRED"] == "" {
		env["AUTH_REQUIRED"] = "false"
	}

	for name, programs := range c.confidential() {
		if !slices.Contains(programs, program) {
			delete(env, name)
		}
	}

	list := make([]string, 0, len(env))
	for _, name := range slices.Sorted(maps.Keys(env)) {
		list = append(list, name+"="+env[name])
	}

	return list
}

// serviceSpec changes with the program, with its own settings, and with every setting in
// .env.example.
func (c Config) serviceSpec(program string, env []string) string {
	h := sha256.New()
	if file, err := os.Open(c.binary(program)); err == nil {
		_, _ = io.Copy(h, file)
		_ = file.Close()
	}

	example, _ := os.ReadFile(filepath.Join(c.Root, ".env.example"))
	for _, name := range regexp.MustCompile(`(?m)^(?:# )?([A-Z][A-Z0-9_]+)=`).FindAllSubmatch(example, -1) {
		_, _ = fmt.Fprintf(h, "%s=%s\n", name[1], c.Env[string(name[1])])
	}

	_, _ = fmt.Fprintln(h, env, c.localBroker(), c.Ports.Pulsar)

	return fmt.Sprintf("%x", h.Sum(nil))
}

// localBroker reports whether the stack runs its own broker: it does unless PULSAR_SERVICE_URL
// names another.
func (c Config) localBroker() bool {
	switch c.Env["PULSAR_SERVICE_URL"] {
	case "", "pulsar://localhost:6650", "pulsar://127.0.0.1:6650":
		return true
	}

	return false
}
