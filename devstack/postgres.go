package devstack

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

// The owner of both databases on the local stack. Services never use it.
const (
	owner         = "postgres"
	ownerPassword = "postgres"
)

// sharedBuffers hold the indexes of some million events; POSTGRES_SHARED_BUFFERS overrides it.
const sharedBuffers = "512MB"

// ownerURL is the connection URL of a database's owner.
func ownerURL(port int, database string) string {
	return fmt.Sprintf(
		"postgres://%s:%s@%s/%s?sslmode=disable",
		owner,
		ownerPassword,
		address(port),
		database,
	)
}

func (c Config) postgres(name string, port int, database string) unit {
	data := filepath.Join(c.databases(), name)

	settings := []string{
		"-D",
		data,
		"-p",
		itoa(port),
		"-c",
		"listen_addresses=127.0.0.1",
		"-c",
		"unix_socket_directories=",
		"-c",
		"max_connections=300",
		"-c",
		"shared_buffers=" + c.value("POSTGRES_SHARED_BUFFERS", sharedBuffers),
		// whole pages, as they follow a checkpoint, stay as they are: pglz, the only compression of
		// these binaries, took an eighth of a busy database's time
		"-c",
		"wal_compression=off",
		"-c",
		"log_min_duration_statement=1s",
		// callers' input stays out of the server's log: parameters, and rows that a constraint
		// refuses
		"-c",
		"log_parameter_max_length=0",
		"-c",
		"log_error_verbosity=terse",
		// commits that wait for a new WAL file are slow for callers: recycle old files
		"-c",
		"max_wal_size=4GB",
		"-c",
		"min_wal_size=1GB",
		// after each checkpoint, whole pages are written to the log when they first change
		"-c",
		"checkpoint_timeout=15min",
	}
	if c.Fast {
		settings = append(settings, "-c", "fsync=off", "-c", "full_page_writes=off")
	}

	return unit{
		name:    name,
		ports:   []int{port},
		spec:    fmt.Sprint(settings),
		signal:  syscall.SIGINT,
		patient: time.Minute,
		prepare: func(ctx context.Context) error { return c.prepareData(ctx, data) },
		command: func(ctx context.Context) (*exec.Cmd, error) {
			return c.unprivileged(ctx, data, "postgres", settings...)
		},
		ready:  func(ctx context.Context) error { return ensureDatabase(ctx, port, database) },
		advice: "If its data cannot be repaired: `make clean` removes all data of the stack.",
	}
}

// prepareData waits until the processes of a killed server have ended, and creates the data folder
// once.
func (c Config) prepareData(ctx context.Context, data string) error {
	if !exists(filepath.Join(data, "PG_VERSION")) {
		return c.initdb(ctx, data)
	}

	if err := await(ctx, 20*time.Second, func() error {
		if pid := workingIn(data); pid != 0 {
			return fmt.Errorf("process %d still works in %s: stop it", pid, data)
		}

		return nil
	}); err != nil {
		return err
	}

	// a killed server that is not reaped yet would count as running
	return forget(filepath.Join(data, "postmaster.pid"))
}

// workingIn returns a process whose working directory is dir, as that of every PostgreSQL process
// is its data folder, or 0.
func workingIn(dir string) int {
	links, _ := filepath.Glob("/proc/[0-9]*/cwd")
	for _, link := range links {
		if target, err := os.Readlink(link); err == nil && target == dir {
			pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(link)))
			return pid
		}
	}

	return 0
}

// initdb creates the data folder and replaces the remains of an interrupted attempt.
func (c Config) initdb(ctx context.Context, data string) error {
	//nolint:gosec // the databases' user must pass
	if err := os.MkdirAll(filepath.Dir(data), 0o755); err != nil {
		return err
	}

	fresh := data + ".new"
	if err := os.RemoveAll(fresh); err != nil {
		return err
	}

	if err := os.Mkdir(fresh, 0o700); err != nil {
		return err
	}

	if err := c.giveAway(fresh); err != nil {
		return err
	}

	password := fresh + ".password"
	//nolint:gosec // a well-known password of a local stack
	if err := os.WriteFile(password, []byte(ownerPassword+"\n"), 0o644); err != nil {
		return err
	}

	defer func() { _ = os.Remove(password) }()

	cmd, err := c.unprivileged(
		ctx,
		fresh,
		"initdb",
		"-D",
		fresh,
		"-U",
		owner,
		"--auth=scram-sha-256",
		"--pwfile="+password,
		"--encoding=UTF8",
		"--locale=C",
		"--locale-provider=builtin",
		"--builtin-locale=C.UTF-8",
		"--no-instructions",
	)
	if err != nil {
		return err
	}

	if output, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w\n%s", err, output)
	}

	return os.Rename(fresh, data)
}

// giveAway changes the owner of the folder if this process is root, since PostgreSQL refuses to run
// as root.
func (c Config) giveAway(dir string) error {
	if os.Geteuid() != 0 {
		return nil
	}

	for _, name := range []string{"postgres", "nobody"} {
		account, err := user.Lookup(name)
		if err != nil {
			continue
		}

		uid, err := strconv.Atoi(account.Uid)
		if err != nil {
			return err
		}

		gid, err := strconv.Atoi(account.Gid)
		if err != nil {
			return err
		}

		return os.Chown(dir, uid, gid)
	}

	return errors.New(
		"PostgreSQL does not run as root and there is no user postgres or nobody to run it: use " +
			"another account",
	)
}

// unprivileged returns the command of a PostgreSQL program for the data folder. If this process is
// root, the program runs as the folder's owner.
func (c Config) unprivileged(
	ctx context.Context,
	data, program string,
	args ...string,
) (*exec.Cmd, error) {
	//nolint:gosec // ours
	cmd := exec.CommandContext(ctx, filepath.Join(c.postgresHome(), "bin", program), args...)

	cmd.Dir = "/"
	if os.Geteuid() != 0 {
		return cmd, nil
	}

	if !reachable(c.postgresHome()) {
		return nil, fmt.Errorf(
			"PostgreSQL does not run as root, and other users cannot get into %s: set "+
				"TRIBUTARY_CACHE to a folder that is open to them",
			c.Cache,
		)
	}

	info, err := os.Stat(data)
	if err != nil {
		return nil, err
	}

	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok || stat.Uid == 0 {
		return nil, fmt.Errorf(
			"%s belongs to root, as whom PostgreSQL does not run: remove it (`make clean`)",
			data,
		)
	}

	cmd.SysProcAttr = &syscall.SysProcAttr{
		Credential: &syscall.Credential{Uid: stat.Uid, Gid: stat.Gid},
	}

	return cmd, nil
}

// ensureDatabase connects and creates the database if it is missing. It returns an error while the
// server does not answer.
func ensureDatabase(ctx context.Context, port int, database string) error {
	conn, err := pgx.Connect(ctx, ownerURL(port, owner))
	if err != nil {
		return err
	}

	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()

	var exists bool
	if err := conn.QueryRow(
		ctx,
		`SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)`,
		database,
	).Scan(&exists); err != nil ||
		exists {
		return err
	}

	_, err = conn.Exec(ctx, "CREATE DATABASE "+pgx.Identifier{database}.Sanitize())

	return err
}
