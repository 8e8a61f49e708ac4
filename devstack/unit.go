package devstack

import (
	"context"
	"fmt"
	"net"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// unit is one process of the stack.
type unit struct {
	name    string
	ports   []int                                    // that must be free before it starts
	spec    string                                   // changes when a running one has to be started anew
	prepare func(context.Context) error              // before a start; may be nil
	command func(context.Context) (*exec.Cmd, error) // the process itself; it outlives the context
	ready   func(context.Context) error              // nil once it does its job
	signal  syscall.Signal                           // asks it to stop
	patient time.Duration                            // how long a start or a stop may take
}

// up starts the unit unless it runs already as specified, and does not wait for it.
func (c Config) up(ctx context.Context, u unit) (started bool, err error) {
	if r, alive := c.running(u.name); alive {
		if r.Spec == u.spec {
			return false, nil
		}
		c.say("%s has changed: starting it anew", u.name)
		if err := c.end(ctx, u.name, u.signal, u.patient); err != nil {
			return false, err
		}
	}
	for _, port := range u.ports {
		if err := free(ctx, port); err != nil {
			return false, fmt.Errorf("%s cannot start: %w", u.name, err)
		}
	}
	if u.prepare != nil {
		if err := u.prepare(ctx); err != nil {
			return false, fmt.Errorf("prepare %s: %w", u.name, err)
		}
	}
	cmd, err := u.command(context.WithoutCancel(ctx))
	if err != nil {
		return false, err
	}
	return true, c.start(u.name, u.spec, cmd)
}

// awaitReady waits until the unit does its job. When it does not, the error holds the end of its log.
func (c Config) awaitReady(ctx context.Context, u unit) error {
	begin := time.Now()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	err := await(ctx, u.patient, func() error {
		if _, alive := c.running(u.name); !alive {
			cancel(fmt.Errorf("%s ended by itself", u.name))
		}
		probe, stop := context.WithTimeout(ctx, 5*time.Second)
		defer stop()
		return u.ready(probe)
	})
	if cause := context.Cause(ctx); cause != nil {
		err = cause
	}
	if err != nil {
		return fmt.Errorf("%s does not get ready: %w\nThe end of %s:\n%s", u.name, err, c.logFile(u.name), c.lastLines(u.name, 15))
	}
	c.say("  %-14s ready on %s (%.1f s)", u.name, addresses(u.ports), time.Since(begin).Seconds())
	return nil
}

// free tells whether the port can be listened on.
func free(ctx context.Context, port int) error {
	var lc net.ListenConfig
	listener, err := lc.Listen(ctx, "tcp", "127.0.0.1:"+itoa(port))
	if err != nil {
		return fmt.Errorf("port %d is taken by another process; stop that one (`ss -ltnp` names it), or move ours by the variables listed in .env.example", port)
	}
	return listener.Close()
}

func addresses(ports []int) string {
	list := make([]string, len(ports))
	for i, p := range ports {
		list[i] = "127.0.0.1:" + itoa(p)
	}
	return strings.Join(list, ", ")
}
