package devstack

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"os/user"

	"github.com/jackc/pgx/v5"
)

// The owner of both databases on the local stack. Services never use it.
const (
	owner         = "postgres"
	ownerPassword = "postgres"
)

// ownerURL is the connection URL of a database's owner.
func ownerURL(port int, database string) string {
	return fmt.Sprintf("postgres://%s:%s@127.0.0.1:%d/%s?sslmode=disable", owner, ownerPassword, port, database)
}

func (c Config) postgres(name string, port int, database string) unit {
	data := filepath.Join(c.databases(), name)
	settings := []string{
		"-D", data, "-p", itoa(port), "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=", "-c", "max_connections=200",
		"-c", "shared_buffers=256MB", "-c", "max_wal_size=4GB", "-c", "wal_compression=on", "-c", "log_min_duration_statement=1s",
	}
	if c.Fast {
		settings = append(settings, "-c", "fsync=off", "-c", "full_page_writes=off")
	}
	return unit{
		name: name, ports: []int{port}, spec: fmt.Sprint(settings), signal: syscall.SIGINT, patient: time.Minute,
		prepare: func(ctx context.Context) error { return c.initdb(ctx, data) },
		command: func(ctx context.Context) (*exec.Cmd, error) { return c.unprivileged(ctx, "postgres", settings...) },
		ready:   func(ctx context.Context) error { return ensureDatabase(ctx, port, database) },
	}
}

// initdb makes the data folder, once.
func (c Config) initdb(ctx context.Context, data string) error {
	if _, err := os.Stat(filepath.Join(data, "PG_VERSION")); err == nil {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(data), 0o755); err != nil { //nolint:gosec // the databases' user must pass
		return err
	}
	password := data + ".password"
	if err := os.WriteFile(password, []byte(ownerPassword+"\n"), 0o644); err != nil { //nolint:gosec // a well-known password of a local stack
		return err
	}
	defer func() { _ = os.Remove(password) }()
	if err := os.RemoveAll(data); err != nil { // what an interrupted attempt has left
		return err
	}
	if err := os.Mkdir(data, 0o700); err != nil {
		return err
	}
	if id, root, err := unprivilegedUser(); err != nil {
		return err
	} else if root {
		if err := os.Chown(data, int(id.Uid), int(id.Gid)); err != nil {
			return err
		}
	}
	cmd, err := c.unprivileged(ctx, "initdb", "-D", data, "-U", owner, "--auth=scram-sha-256", "--pwfile="+password, "--encoding=UTF8", "--no-locale", "--no-instructions")
	if err != nil {
		return err
	}
	output, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("initdb: %w\n%s", err, output)
	}
	return nil
}

// unprivileged is a PostgreSQL program, run by another user when we are root: PostgreSQL refuses to run as root.
func (c Config) unprivileged(ctx context.Context, program string, args ...string) (*exec.Cmd, error) {
	cmd := exec.CommandContext(ctx, filepath.Join(c.postgresHome(), "bin", program), args...) //nolint:gosec // ours
	cmd.Dir = "/"
	id, root, err := unprivilegedUser()
	if err != nil {
		return nil, err
	}
	if root {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &id}
	}
	return cmd, nil
}

// unprivilegedUser is nobody, when we are root.
func unprivilegedUser() (id syscall.Credential, root bool, err error) {
	if os.Geteuid() != 0 {
		return syscall.Credential{}, false, nil
	}
	nobody, err := user.Lookup("nobody")
	if err != nil {
		return syscall.Credential{}, true, fmt.Errorf("PostgreSQL does not run as root and there is no user `nobody` to run it: use another account: %w", err)
	}
	uid, err := strconv.ParseUint(nobody.Uid, 10, 32)
	if err != nil {
		return syscall.Credential{}, true, err
	}
	gid, err := strconv.ParseUint(nobody.Gid, 10, 32)
	return syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, true, err
}

// ensureDatabase connects and creates the database where it is missing. It fails as long as the server does not answer.
func ensureDatabase(ctx context.Context, port int, database string) error {
	conn, err := pgx.Connect(ctx, ownerURL(port, "postgres"))
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(ctx) }()
	var exists bool
	if err := conn.QueryRow(ctx, `SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)`, database).Scan(&exists); err != nil || exists {
		return err
	}
	_, err = conn.Exec(ctx, "CREATE DATABASE "+pgx.Identifier{database}.Sanitize())
	return err
}
