package devstack

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// Private gives a configuration of its own below dir, on free ports, for tests. dir must be reachable by other users.
func (c Config) Private(ctx context.Context, dir string) (Config, error) {
	c.State, c.Fast = dir, true
	c.Env["PULSAR_SERVICE_URL"] = ""
	ports, err := freePorts(ctx, 8)
	if err != nil {
		return Config{}, err
	}
	c.Ports = Ports{ports[0], ports[1], ports[2], ports[3], ports[4], ports[5], ports[6], ports[7]}
	return c, nil
}

// freePorts finds ports that nobody listens on now. They are below the range that the kernel gives to outgoing connections.
func freePorts(ctx context.Context, n int) ([]int, error) {
	var ports []int
	for port := 20000 + os.Getpid()%1000*10; len(ports) < n && port < 32000; port++ {
		if free(ctx, port) == nil {
			ports = append(ports, port)
		}
	}
	if len(ports) < n {
		return nil, errors.New("there are not enough free ports from 20000 to 32000")
	}
	return ports, nil
}

// Exec runs a command with a throw-away PostgreSQL and Pulsar, which it finds through TEST_POSTGRES_URL, TEST_PULSAR_URL and
// TEST_PULSAR_ADMIN_URL. Both are stopped and their data removed at the end. The error of the command is returned as it is.
func (c Config) Exec(ctx context.Context, command []string) (err error) {
	dir, err := os.MkdirTemp("", "tributary-test-")
	if err != nil {
		return err
	}
	if err := os.Chmod(dir, 0o755); err != nil { //nolint:gosec // the databases' user must pass
		return err
	}
	c, err = c.Private(ctx, dir)
	if err != nil {
		return err
	}
	if err := c.fetch(ctx); err != nil {
		return err
	}
	units := []unit{c.postgres("test-db", c.Ports.TrackingDB, "test"), c.pulsar()}
	defer func() {
		stop := context.WithoutCancel(ctx)
		for _, u := range units {
			err = errors.Join(err, c.end(stop, u.name, syscall.SIGKILL, 30*time.Second))
		}
		err = errors.Join(err, os.RemoveAll(c.databases()), os.RemoveAll(dir))
	}()
	if err := c.startAll(ctx, units); err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, command[0], command[1:]...) //nolint:gosec // the user's own command
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 30 * time.Second
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.Env = append(os.Environ(), "TEST_POSTGRES_URL="+ownerURL(c.Ports.TrackingDB, "postgres"),
		fmt.Sprintf("TEST_PULSAR_URL=pulsar://%s", net.JoinHostPort("127.0.0.1", itoa(c.Ports.Pulsar))),
		fmt.Sprintf("TEST_PULSAR_ADMIN_URL=http://%s", net.JoinHostPort("127.0.0.1", itoa(c.Ports.PulsarAdmin))))
	return cmd.Run()
}
