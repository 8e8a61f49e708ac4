package devstack

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"
)

// infrastructure is what the services need: the databases, and the broker unless another one is configured.
func (c Config) infrastructure() []unit {
	units := []unit{
		c.postgres("tracking-db", c.Ports.TrackingDB, "trackingdb"),
		c.postgres("commission-db", c.Ports.CommissionDB, "commissiondb"),
	}
	if c.localBroker() {
		units = append(units, c.pulsar())
	}
	return units
}

func (c Config) services() []unit { return []unit{c.tracking(), c.commission(), c.bff()} }

func (c Config) units() []unit { return append(c.infrastructure(), c.services()...) }

// Up fetches what is missing and starts what does not run: the databases and the broker first, then schemas and topics, then
// the services. It returns when everything is ready. Run again, it changes nothing that is as it should be.
func (c Config) Up(ctx context.Context) error {
	unlock, err := c.lock()
	if err != nil {
		return err
	}
	defer unlock()
	if err := c.fetch(ctx); err != nil {
		return err
	}
	var group errgroup.Group
	group.Go(func() error { return c.build(ctx) })
	group.Go(func() error { return c.startAll(ctx, c.infrastructure()) })
	if err := group.Wait(); err != nil {
		return err
	}
	if err := c.run(ctx, "migrate"); err != nil {
		return err
	}
	if c.localBroker() {
		if err := c.run(ctx, "provision"); err != nil {
			return err
		}
	}
	return c.startAll(ctx, c.services())
}

// startAll starts the units side by side and waits until all are ready.
func (c Config) startAll(ctx context.Context, units []unit) error {
	for _, u := range units {
		if _, err := c.up(ctx, u); err != nil {
			return err
		}
	}
	var group errgroup.Group
	for _, u := range units {
		group.Go(func() error { return c.awaitReady(ctx, u) })
	}
	return group.Wait()
}

// Down stops everything that was started here: services first, then the broker, then the databases. The data stays.
func (c Config) Down(ctx context.Context) error {
	unlock, err := c.lock()
	if err != nil {
		return err
	}
	defer unlock()
	units := c.units()
	var errs []error
	for i := len(units) - 1; i >= 0; i-- {
		u := units[i]
		if _, alive := c.running(u.name); alive {
			c.say("  stopping %s", u.name)
		}
		errs = append(errs, c.end(ctx, u.name, u.signal, u.patient))
	}
	return errors.Join(errs...)
}

// Clean is Down that removes the data and the logs too.
func (c Config) Clean(ctx context.Context) error {
	if err := c.Down(ctx); err != nil {
		return err
	}
	return errors.Join(os.RemoveAll(c.databases()), os.RemoveAll(c.State))
}

// Status tells of each process whether it runs and is ready.
func (c Config) Status(ctx context.Context) {
	for _, u := range c.units() {
		state := "stopped"
		if r, alive := c.running(u.name); alive {
			state = fmt.Sprintf("process %d, ready", r.PID)
			if err := u.ready(ctx); err != nil {
				state = fmt.Sprintf("process %d, NOT ready: %v", r.PID, err)
			}
		}
		c.say("  %-14s %s  (log: %s)", u.name, state, c.logFile(u.name))
	}
}

// find gives the unit of that name.
func (c Config) find(name string) (unit, error) {
	for _, u := range c.units() {
		if u.name == name {
			return u, nil
		}
	}
	return unit{}, fmt.Errorf("there is no process %q in the stack", name)
}

// Start starts one process and waits until it is ready.
func (c Config) Start(ctx context.Context, name string) error {
	u, err := c.find(name)
	if err != nil {
		return err
	}
	return c.startAll(ctx, []unit{u})
}

// Stop stops one process as Down would.
func (c Config) Stop(ctx context.Context, name string) error {
	u, err := c.find(name)
	if err != nil {
		return err
	}
	return c.end(ctx, u.name, u.signal, u.patient)
}

// Kill ends one process at once, as a failing machine would.
func (c Config) Kill(ctx context.Context, name string) error {
	return c.end(ctx, name, syscall.SIGKILL, 10*time.Second)
}

// lock keeps two commands from working on one stack at the same time.
func (c Config) lock() (unlock func(), err error) {
	if err := os.MkdirAll(c.State, 0o755); err != nil { //nolint:gosec // the databases' user must pass
		return nil, fmt.Errorf("state folder (set TRIBUTARY_STATE to another): %w", err)
	}
	file, err := os.OpenFile(filepath.Join(c.State, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil { //nolint:gosec // descriptors are small
		_ = file.Close()
		return nil, errors.New("another command is working on this stack: wait until it is done")
	}
	return func() { _ = file.Close() }, nil
}
