package devstack

import (
	"context"
	"fmt"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

type unit struct {
	name string
	// Ports that must be free before it starts. The first is its address.
	ports []int
	// A change restarts a running process.
	spec    string
	prepare func(context.Context) error              // before a start; may be nil
	command func(context.Context) (*exec.Cmd, error) // the process itself; it outlives the context
	ready   func(context.Context) error              // returns nil when it is ready
	advice  string                                   // what to do if it does not become ready
	signal  syscall.Signal                           // asks it to stop
	patient time.Duration                            // how long a start or a stop may take
}

// launch starts the unit unless it is already running as specified. It does not wait until the unit
// is ready.
func (c Config) launch(ctx context.Context, u unit) error {
	if r, alive := c.running(u.name); alive {
		if r.Spec == u.spec {
			return nil
		}

		c.say("  %-14s has changed: restarting it", u.name)

		if err := c.end(ctx, u.name, u.signal, u.patient); err != nil {
			return err
		}
	}

	for _, port := range u.ports {
		if !free(ctx, port) {
			return c.taken(u.name, port)
		}
	}

	if u.prepare != nil {
		if err := u.prepare(ctx); err != nil {
			return fmt.Errorf("prepare %s: %w", u.name, err)
		}
	}

	cmd, err := u.command(context.WithoutCancel(ctx))
	if err != nil {
		return err
	}

	return c.start(u.name, u.spec, cmd)
}

// awaitReady waits until the unit is ready. If it does not become ready, the error contains the end
// of its log and what to do.
func (c Config) awaitReady(ctx context.Context, u unit) error {
	begin := time.Now() //nolint:forbidigo // times shown to people

	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer c.every(
		10*time.Second,
		func(waited time.Duration) { c.say("  %-14s is starting … %.0f s", u.name, waited.Seconds()) },
	)()

	err := await(ctx, u.patient, func() error {
		if _, alive := c.running(u.name); !alive {
			cancel(fmt.Errorf("%s ended unexpectedly", u.name))
		}

		probe, stop := context.WithTimeout(ctx, 5*time.Second)
		defer stop()

		return u.ready(probe)
	})
	if cause := context.Cause(ctx); cause != nil {
		err = cause
	}

	if err != nil {
		return fmt.Errorf(
			"%s does not become ready: %w\n--- the end of %s\n%s\n---\n%s",
			u.name,
			err,
			c.logFile(u.name),
			c.lastLines(u.name, 15),
			u.advice,
		)
	}

	c.say("  %-14s ready on %s (%.1f s)", u.name, addresses(u.ports), time.Since(begin).Seconds())

	return nil
}

// every calls the function periodically until the returned stop is called.
func (c Config) every(pause time.Duration, do func(waited time.Duration)) (stop func()) {
	quit, done := make(chan struct{}), make(chan struct{})

	begin, tick := time.Now(), time.NewTicker(pause) //nolint:forbidigo // times shown to people
	go func() {
		defer close(done)
		defer tick.Stop()

		for {
			select {
			case <-quit:
				return
			case <-tick.C:
				do(time.Since(begin))
			}
		}
	}()

	return func() {
		close(quit)
		<-done
	}
}

func addresses(ports []int) string {
	list := make([]string, len(ports))
	for i, p := range ports {
		list[i] = address(p)
	}

	return strings.Join(list, ", ")
}
