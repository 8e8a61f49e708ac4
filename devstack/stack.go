package devstack

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"
)

// infrastructure returns what the services depend on: the databases, and the broker unless another
// one is configured.
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

func (c Config) units() []unit { return append(c.infrastructure(), c.services()...) }

// Up fetches what is missing and starts what is not running: the databases and the broker, while
// the services are built; then schemas and topics; then the services. It returns when everything is
// ready. A further call leaves running units unchanged, starts those that have ended, and restarts
// those that have changed.
func (c Config) Up(ctx context.Context) error {
	unlock, err := c.lock()
	if err != nil {
		return err
	}
	defer unlock()

	if err := c.checkPorts(ctx); err != nil {
		return err
	}

	group, shared := errgroup.WithContext(ctx)
	group.Go(func() error { return c.Build(shared) })
	group.Go(func() error {
		if err := c.fetch(shared); err != nil {
			return err
		}

		return c.startAll(shared, c.infrastructure())
	})

	if err := group.Wait(); err != nil {
		return err
	}

	if err := c.setUp(ctx); err != nil {
		return err
	}

	return c.startAll(ctx, c.services())
}

// checkPorts detects taken ports before the slow steps.
func (c Config) checkPorts(ctx context.Context) error {
	var errs []error
	for _, u := range c.units() {
		if _, alive := c.running(u.name); alive {
			continue
		}

		for _, port := range u.ports {
			if !free(ctx, port) {
				errs = append(errs, c.taken(u.name, port))
			}
		}
	}

	return errors.Join(errs...)
}

// setUp brings schemas and topics to what the services expect.
func (c Config) setUp(ctx context.Context) error {
	group, shared := errgroup.WithContext(ctx)
	group.Go(func() error { return c.run(shared, "migrate") })

	if c.localBroker() || c.Env["PULSAR_ADMIN_URL"] != "" {
		group.Go(func() error { return c.run(shared, "provision") })
	} else {
		c.say(
			"broker: PULSAR_ADMIN_URL is not set, so its topics must be there already (docs/operations.md)",
		)
	}

	return group.Wait()
}

// Migrate brings the schemas of the running databases to the newest version.
func (c Config) Migrate(ctx context.Context) error {
	if err := c.Build(ctx); err != nil {
		return err
	}

	return c.run(ctx, "migrate")
}

// startAll starts the units concurrently and waits until all are ready.
func (c Config) startAll(ctx context.Context, units []unit) error {
	group, shared := errgroup.WithContext(ctx)
	for _, u := range units {
		group.Go(func() error {
			if err := c.launch(shared, u); err != nil {
				return err
			}

			return c.awaitReady(shared, u)
		})
	}

	return group.Wait()
}

// Down stops everything that was started here: services first, then the broker, then the databases.
// The data are kept.
func (c Config) Down(ctx context.Context) error {
	unlock, err := c.lock()
	if err != nil {
		return err
	}
	defer unlock()

	return c.stopAll(ctx)
}

// stopAll stops the recorded processes, including replicas that this configuration does not name.
func (c Config) stopAll(ctx context.Context) error {
	records, err := filepath.Glob(c.recordFile("*"))
	if err != nil {
		return err
	}

	var services, broker, databases []string
	for _, file := range records {
		switch name := strings.TrimSuffix(filepath.Base(file), ".json"); {
		case name == "pulsar":
			broker = append(broker, name)
		case strings.HasSuffix(name, "-db"):
			databases = append(databases, name)
		default:
			services = append(services, name)
		}
	}

	var errs []error
	for _, names := range [][]string{services, broker, databases} {
		var group errgroup.Group
		for _, name := range names {
			group.Go(func() error { return c.stop(ctx, name) })
		}

		errs = append(errs, group.Wait())
	}

	return errors.Join(errs...)
}

// stop ends one process gently: fast shutdown of a database, SIGTERM for the others.
func (c Config) stop(ctx context.Context, name string) error {
	signal := syscall.SIGTERM
	if strings.HasSuffix(name, "-db") {
		signal = syscall.SIGINT
	}

	_, alive := c.running(name)
	begin := time.Now() //nolint:forbidigo // times shown to people

	if err := c.end(ctx, name, signal, time.Minute); err != nil || !alive {
		return err
	}

	c.say("  %-14s stopped (%.1f s)", name, time.Since(begin).Seconds())

	return nil
}

// Clean is Down that also removes the data, the logs and the built programs.
func (c Config) Clean(ctx context.Context) error {
	if err := c.Down(ctx); err != nil {
		return err
	}

	return errors.Join(os.RemoveAll(c.databases()), os.RemoveAll(c.State))
}

// Status prints for each process whether it runs and is ready. allReady reports whether all are.
func (c Config) Status(ctx context.Context) (allReady bool) {
	allReady = true
	for _, u := range c.units() {
		state := "stopped"
		r, alive := c.running(u.name)

		var err error
		if alive {
			probe, stop := context.WithTimeout(ctx, 5*time.Second)
			err = u.ready(probe)
			stop()
			state = fmt.Sprintf("ready on %s, process %d", addresses(u.ports[:1]), r.PID)
		}

		if err != nil {
			state = fmt.Sprintf("NOT READY, process %d: %v", r.PID, err)
		}

		c.say("  %-14s %s", u.name, state)
		allReady = allReady && alive && err == nil
	}

	c.say("  logs, data and programs: %s", c.State)

	return allReady
}

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

// Stop stops one process as Down does.
func (c Config) Stop(ctx context.Context, name string) error { return c.stop(ctx, name) }

// Kill ends one process and its descendants at once, without a chance to clean up.
func (c Config) Kill(ctx context.Context, name string) error {
	return c.end(ctx, name, syscall.SIGKILL, 10*time.Second)
}

// Pause stops one process and its descendants until Resume, like a machine that swaps or is
// suspended.
func (c Config) Pause(name string) error { return c.signal(name, syscall.SIGSTOP) }

// Resume continues a paused process.
func (c Config) Resume(name string) error { return c.signal(name, syscall.SIGCONT) }

func (c Config) signal(name string, signal syscall.Signal) error {
	pid, alive := c.PID(name)
	if !alive {
		return fmt.Errorf("%s is not running", name)
	}

	return send(signal, family(pid)...)
}

// PID returns the id of a process of the stack. alive reports whether it runs.
func (c Config) PID(name string) (pid int, alive bool) {
	r, alive := c.running(name)
	return r.PID, alive
}

// LogFile returns the file with the output of the process.
func (c Config) LogFile(name string) string { return c.logFile(name) }

// Names returns the names of the stack's processes.
func (c Config) Names() []string {
	var names []string
	for _, u := range c.units() {
		names = append(names, u.name)
	}

	slices.Sort(names)

	return names
}

// URL returns the address of a service or a replica.
func (c Config) URL(name string) string {
	ports := map[string]int{}
	for _, s := range c.ours() {
		ports[s.name] = s.port
	}

	for _, r := range c.Replicas {
		ports[r.Name] = r.Port
	}

	return "http://" + address(ports[name])
}

// TrackingDatabaseURL returns the URL of tracking's database, as its owner.
func (c Config) TrackingDatabaseURL() string { return ownerURL(c.Ports.TrackingDB, "trackingdb") }

// CommissionDatabaseURL returns the URL of commission's database, as its owner.
func (c Config) CommissionDatabaseURL() string { return ownerURL(c.Ports.CommissionDB, "commissiondb") }

// PulsarURL returns the broker's address for clients.
func (c Config) PulsarURL() string { return "pulsar://" + address(c.Ports.Pulsar) }

// PulsarAdminURL returns the broker's address for administration.
func (c Config) PulsarAdminURL() string { return "http://" + address(c.Ports.PulsarAdmin) }

// Token returns a bearer token of generate-jwt, called with flags.
func (c Config) Token(ctx context.Context, flags ...string) (string, error) {
	cmd := exec.CommandContext(ctx, c.binary("generate-jwt"), flags...) //nolint:gosec // ours
	cmd.Env, cmd.Dir = c.environment("generate-jwt"), c.State

	var faults strings.Builder
	cmd.Stderr = &faults

	token, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("generate-jwt: %w\n%s", err, faults.String())
	}

	return strings.TrimSpace(string(token)), nil
}

// lock keeps two commands from working on one stack at the same time.
func (c Config) lock() (unlock func(), err error) {
	//nolint:gosec // the databases' user must pass
	if err := os.MkdirAll(c.State, 0o755); err != nil {
		return nil, fmt.Errorf("set TRIBUTARY_STATE to a folder for data and logs: %w", err)
	}

	unlock, err = lockFile(filepath.Join(c.State, "lock"), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return nil, errors.New("another command is working on this stack: wait until it is done")
	}

	return unlock, err
}

func lockFile(file string, how int) (unlock func(), err error) {
	f, err := os.OpenFile(file, os.O_CREATE|os.O_RDWR, 0o600) //nolint:gosec // ours
	if err != nil {
		return nil, err
	}

	if err := syscall.Flock(int(f.Fd()), how); err != nil {
		_ = f.Close()
		return nil, err
	}

	return func() { _ = f.Close() }, nil
}
