// Command stack runs the whole project on one machine without containers: two PostgreSQL servers,
// Apache Pulsar and the three services.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"syscall"

	"tributary/devstack"
)

const usage = `usage: stack COMMAND

  up                 fetch what is missing, start everything, wait until it is ready; may be run again
  down               stop services, broker and databases; the data stays
  clean              down, and remove data, logs and built programs
  status             what runs and whether it is ready
  logs [-f] [NAME…]  the end of the logs; -f goes on
  reset-broker       replace a local broker that cannot be repaired; the databases stay, and
                     tracking publishes all its events again
  demo               up, then the five requests of the README
  requests           only the five requests, to a stack that runs, also one in containers
  migrate            bring the schemas of the running databases to the newest version
  exec -- COMMAND…   run a command with a throw-away PostgreSQL and Pulsar, which it finds by
                     TEST_POSTGRES_URL, TEST_PULSAR_URL and TEST_PULSAR_ADMIN_URL

Ports and folders are moved by the environment: .env.example lists the names.
`

func main() {
	ctx, cancel := signal.NotifyContext(
		context.Background(),
		os.Interrupt,
		syscall.SIGTERM,
		syscall.SIGHUP,
	)
	err := run(ctx, os.Args[1:])
	cancel()
	os.Exit(exitCode(err))
}

func run(ctx context.Context, args []string) error {
	if len(args) == 0 || args[0] == "help" || args[0] == "-h" || args[0] == "--help" {
		_, _ = fmt.Fprint(os.Stderr, usage)
		return nil
	}

	dir, err := os.Getwd()
	if err != nil {
		return err
	}

	root, err := devstack.Root(dir)
	if err != nil {
		return err
	}

	c, err := devstack.Load(root, os.Stderr)
	if err != nil {
		return err
	}

	return dispatch(ctx, c, args[0], args[1:])
}

func dispatch(ctx context.Context, c devstack.Config, command string, args []string) error {
	switch command {
	case "up":
		if err := up(ctx, c); err != nil {
			return err
		}

		c.Next()

		return nil
	case "down":
		return c.Down(ctx)
	case "clean":
		return c.Clean(ctx)
	case "reset-broker":
		return c.ResetBroker(ctx)
	case "status":
		if !c.Status(ctx) {
			return errors.New("not everything is ready: `make up` starts what is stopped")
		}

		return nil
	case "logs":
		return logs(c, args)
	case "demo":
		if err := up(ctx, c); err != nil {
			return err
		}

		return demo(ctx, c)
	case "requests":
		if err := c.Build(ctx); err != nil {
			return err
		}

		return demo(ctx, c)
	case "migrate":
		return c.Migrate(ctx)
	case "exec":
		if len(args) > 0 && args[0] == "--" {
			args = args[1:]
		}

		if len(args) == 0 {
			return errors.New("usage: stack exec -- COMMAND…")
		}

		return c.Exec(ctx, args)
	}

	return fmt.Errorf("there is no command %q\n%s", command, usage)
}

func up(ctx context.Context, c devstack.Config) error {
	if err := c.EnsureEnvFile(); err != nil {
		return err
	}

	return c.Up(ctx)
}

func demo(ctx context.Context, c devstack.Config) error {
	if err := c.Demo(ctx); err != nil {
		return err
	}

	c.Next()

	return nil
}

// logs replaces the process by tail.
func logs(c devstack.Config, args []string) error {
	tail := []string{"tail", "-n", "20"}
	if len(args) > 0 && args[0] == "-f" {
		tail, args = append(tail, "-F"), args[1:]
	}

	names := args
	if len(names) == 0 {
		names = c.Names()
	}

	if len(args) > 0 {
		tail[2] = "200"
	}

	for _, name := range names {
		file := c.LogFile(name)
		if _, err := os.Stat(file); err != nil { //nolint:gosec // a name that the user passed
			if len(args) == 0 {
				continue
			}

			return fmt.Errorf("%s has no log: the names are %v", name, c.Names())
		}

		tail = append(tail, file)
	}

	program, err := exec.LookPath("tail")
	if err != nil {
		return err
	}

	return syscall.Exec(program, tail, os.Environ()) //nolint:gosec // a fixed program
}

// exitCode returns the code of the executed command, or 1.
func exitCode(err error) int {
	if err == nil {
		return 0
	}

	if ended := (devstack.ExitError{}); errors.As(err, &ended) {
		return ended.Code
	}

	_, _ = fmt.Fprintln(os.Stderr, "stack:", err)

	return 1
}
