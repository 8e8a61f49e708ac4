package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"tributary/devstack"
)

// Build is a checkout of the project and a private stack of the programs built from it. The stack
// is run by the checkout's own devstack, with the checkout's own settings and migrations, so that
// builds of different commits can be compared.
type Build struct {
	Name  string
	Root  string // the checkout
	State string // data, logs and programs of its stack
	Ports devstack.Ports
}

// Checkout returns the working tree of the commit in a new folder below dir, and a function that
// removes it.
func Checkout(ctx context.Context, root, ref, dir string) (tree string, remove func() error, err error) {
	tree = filepath.Join(dir, "checkout")
	if err := command(ctx, root, nil, "git", "worktree", "add", "--detach", tree, ref); err != nil {
		return "", nil, err
	}

	return tree, func() error {
		return command(context.WithoutCancel(ctx), root, nil, "git", "worktree", "remove", "--force", tree)
	}, nil
}

// Compile builds the checkout's devstack. The services are built by the first Up.
func (b Build) Compile(ctx context.Context) error {
	return command(ctx, b.Root, nil, "go", "build", "-buildvcs=false", "-o", b.tool(), "./devstack/cmd/stack")
}

func (b Build) tool() string { return filepath.Join(b.State, "stack") }

// Up starts the stack with durable settings and waits until it is ready.
func (b Build) Up(ctx context.Context) error {
	return command(ctx, b.Root, b.settings(), b.tool(), "up")
}

// Discard stops the stack and removes its data. The built programs stay.
func (b Build) Discard(ctx context.Context) error {
	errs := []error{command(ctx, b.Root, b.settings(), b.tool(), "down")}
	for _, data := range []string{"postgres", "pulsar", "logs", "run"} {
		errs = append(errs, os.RemoveAll(filepath.Join(b.State, data)))
	}

	return errors.Join(errs...)
}

func (b Build) settings() []string {
	settings := []string{
		"TRIBUTARY_STATE=" + b.State,
		"PULSAR_SERVICE_URL=",
		"RATE_LIMIT=0",
		"TRACKING_RATE_LIMIT=0",
	}
	for name, port := range map[string]int{
		"TRACKING_DB_PORT":   b.Ports.TrackingDB,
		"COMMISSION_DB_PORT": b.Ports.CommissionDB,
		"PULSAR_PORT":        b.Ports.Pulsar,
		"PULSAR_ADMIN_PORT":  b.Ports.PulsarAdmin,
		"PULSAR_BOOKIE_PORT": b.Ports.Bookie,
		"BFF_PORT":           b.Ports.BFF,
		"TRACKING_PORT":      b.Ports.Tracking,
		"COMMISSION_PORT":    b.Ports.Commission,
	} {
		settings = append(settings, fmt.Sprintf("%s=%d", name, port))
	}

	return settings
}

// Processes returns the ids of the running stack's processes by name.
func (b Build) Processes() map[string]int {
	pids := map[string]int{}

	records, _ := filepath.Glob(filepath.Join(b.State, "run", "*.json"))
	for _, file := range records {
		var record struct {
			PID int `json:"pid"`
		}

		text, err := os.ReadFile(file) //nolint:gosec // of the stack that this program started
		if err == nil && json.Unmarshal(text, &record) == nil {
			pids[strings.TrimSuffix(filepath.Base(file), ".json")] = record.PID
		}
	}

	return pids
}

// command runs a program to its end. Its output is part of the error.
func command(ctx context.Context, dir string, settings []string, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, name, args...) //nolint:gosec // names and arguments are ours
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), settings...)

	var output bytes.Buffer

	cmd.Stdout, cmd.Stderr = &output, &output
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s %s: %w\n%s", name, strings.Join(args, " "), err, output.Bytes())
	}

	return nil
}
