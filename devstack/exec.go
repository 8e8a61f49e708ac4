package devstack

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// throwAway is the prefix of the folders of throw-away stacks. The file owner in each names the
// process that will remove it.
const throwAway = "tributary-test-"

// Private returns a configuration of its own below dir, on free ports, for tests. For root, dir
// must be reachable by other users, or the databases' files are stored elsewhere; Clean finds them.
func (c Config) Private(ctx context.Context, dir string) (Config, error) {
	ports, err := freePorts(ctx, len(c.Ports.settable()))
	if err != nil {
		return Config{}, err
	}

	c.State = dir
	c.Fast = c.Env["TRIBUTARY_TEST_DURABLE"] != "1"
	c.Env = maps.Clone(c.Env)

	c.Env["PULSAR_SERVICE_URL"], c.Replicas = "", nil
	for i, s := range c.Ports.settable() {
		*s.port = ports[i]
	}

	return c, nil
}

// Exec runs a command with a throw-away PostgreSQL and Pulsar, whose addresses are in
// TEST_POSTGRES_URL, TEST_PULSAR_URL and TEST_PULSAR_ADMIN_URL. Both are stopped and their data
// removed at the end, even if ctx ends or the command is interrupted. The error is an ExitError if
// only the command failed.
func (c Config) Exec(ctx context.Context, command []string) (err error) {
	c.sweep(ctx)

	dir, err := os.MkdirTemp("", throwAway)
	if err != nil {
		return err
	}

	if err := os.Chmod(dir, 0o755); err != nil { //nolint:gosec // the databases' user must pass
		return err
	}

	if c, err = c.Private(ctx, dir); err != nil {
		return err
	}

	defer func() {
		if fault := c.discard(context.WithoutCancel(ctx)); fault != nil {
			c.say("%s is not removed: %v", dir, fault)
		}
	}()

	if err := c.own(); err != nil {
		return err
	}

	if err := c.fetch(ctx); err != nil {
		return err
	}

	if err := c.startAll(
		ctx,
		[]unit{c.postgres("test-db", c.Ports.TrackingDB, owner), c.pulsar()},
	); err != nil {
		return err
	}

	//nolint:gosec,noctx // the user's own command; attend ends it
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Stdin = os.Stdin
	cmd.Stdout = os.Stdout
	cmd.Stderr = os.Stderr
	cmd.Env = append(
		os.Environ(),
		"TEST_POSTGRES_URL="+ownerURL(c.Ports.TrackingDB, owner),
		"TEST_PULSAR_URL="+c.PulsarURL(),
		"TEST_PULSAR_ADMIN_URL="+c.PulsarAdminURL(),
	)

	return attend(ctx, cmd)
}

// attend runs the command in a process group of its own, which gets the terminal if there is one:
// the command answers Ctrl-C, and attend can clean up. The group is signalled when ctx ends, and
// killed if it does not stop.
func attend(ctx context.Context, cmd *exec.Cmd) error {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}

	stdin := int(os.Stdin.Fd())
	if group, err := unix.IoctlGetInt(stdin, unix.TIOCGPGRP); err == nil &&
		group == unix.Getpgrp() {
		cmd.SysProcAttr.Foreground, cmd.SysProcAttr.Ctty = true, stdin
		signal.Ignore(syscall.SIGTTOU) // otherwise taking the terminal back would stop this process

		defer func() { _ = unix.IoctlSetPointerInt(stdin, unix.TIOCSPGRP, group) }()
	}

	if err := cmd.Start(); err != nil {
		return err
	}

	done, watched := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(watched)

		select {
		case <-done:
			return
		case <-ctx.Done():
		}

		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM)
		select {
		case <-done:
		case <-time.After(10 * time.Second):
			_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		}
	}()
	err := cmd.Wait()
	close(done)
	<-watched

	if ended := (*exec.ExitError)(nil); errors.As(err, &ended) {
		return exit(ended)
	}

	return err
}

// ExitError is returned if the user's command ends with a code other than 0, by the convention of
// shells: 128 and more for a signal.
type ExitError struct{ Code int }

func (e ExitError) Error() string { return fmt.Sprintf("the command ends with code %d", e.Code) }

func exit(ended *exec.ExitError) ExitError {
	if status, ok := ended.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return ExitError{Code: 128 + int(status.Signal())}
	}

	return ExitError{Code: ended.ExitCode()}
}

// discard kills every process of a throw-away stack and removes the stack.
func (c Config) discard(ctx context.Context) error {
	records, err := filepath.Glob(c.recordFile("*"))

	errs := []error{err}
	for _, file := range records {
		errs = append(errs, c.Kill(ctx, strings.TrimSuffix(filepath.Base(file), ".json")))
	}

	return errors.Join(append(errs, os.RemoveAll(c.databases()), os.RemoveAll(c.State))...)
}

// own records that this process will discard the stack.
func (c Config) own() error {
	c.State = filepath.Join(c.State, "owner")
	//nolint:gosec // nothing secret in it
	if err := os.MkdirAll(filepath.Dir(c.recordFile("stack")), 0o755); err != nil {
		return err
	}

	return c.remember("stack", os.Getpid(), "")
}

// sweep discards throw-away stacks whose owners were killed.
func (c Config) sweep(ctx context.Context) {
	dirs, _ := filepath.Glob(filepath.Join(os.TempDir(), throwAway+"*"))
	for _, dir := range dirs {
		left := c
		left.State = dir
		owner := c

		owner.State = filepath.Join(dir, "owner")
		if _, alive := owner.running("stack"); alive || !exists(owner.recordFile("stack")) {
			continue
		}

		if err := left.discard(ctx); err == nil {
			c.say("removed the remains of a killed test run in %s", dir)
		}
	}
}
