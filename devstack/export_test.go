package devstack

import (
	"context"
	"io"
	"os/exec"
	"syscall"
	"time"
)

func Untar(r io.Reader, dir string, strip int) error     { return untar(r, dir, strip) }
func UnpackPostgres(archive, dir string) error           { return unpackPostgres(archive, dir) }
func Verify(file, sum string) error                      { return verify(file, sum) }
func Override(conf []byte, settings [][2]string) []byte  { return override(conf, settings) }
func Attend(ctx context.Context, cmd *exec.Cmd) error    { return attend(ctx, cmd) }
func Holder(port int) string                             { return holder(port) }
func (c Config) ServiceSpec(program string) string       { return c.serviceSpec(program, nil) }
func (c Config) RecordFile(name string) string           { return c.recordFile(name) }
func (c Config) ServiceEnvironment(name string) []string { return c.serviceEnvironment(name) }
func (c Config) Lock() (func(), error)                   { return c.lock() }
func (c Config) Environment(program string) []string     { return c.environment(program) }
func (c Config) Sweep(ctx context.Context)               { c.sweep(ctx) }
func (c Config) Own() error                              { return c.own() }

// Launch starts a process that only runs, as a unit with these ports.
func (c Config) Launch(ctx context.Context, name, spec string, ports []int, args ...string) error {
	return c.launch(ctx, c.plain(name, spec, ports, args...))
}

// AwaitReady waits for a process that never becomes ready.
func (c Config) AwaitReady(ctx context.Context, name string) error {
	u := c.plain(name, "", nil)
	u.patient, u.advice = time.Second, "advice"
	u.ready = func(context.Context) error { return context.DeadlineExceeded }

	return c.awaitReady(ctx, u)
}

func (c Config) plain(name, spec string, ports []int, args ...string) unit {
	return unit{
		name: name, ports: ports, spec: spec, signal: syscall.SIGTERM, patient: 5 * time.Second,
		command: func(ctx context.Context) (*exec.Cmd, error) {
			return exec.CommandContext(ctx, args[0], args[1:]...), nil
		},
	}
}

// StartInfrastructure is Up without the services.
func (c Config) StartInfrastructure(ctx context.Context) error {
	if err := c.fetch(ctx); err != nil {
		return err
	}

	return c.startAll(ctx, c.infrastructure())
}
