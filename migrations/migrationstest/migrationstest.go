// Package migrationstest gives each test a database of its own, copied from a migrated template.
package migrationstest

import (
	"context"
	"fmt"
	"hash/fnv"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"tributary/migrations"
)

// Password is that of the services' roles on the test server.
const Password = "test_password"

// Database is a migrated database that lives as long as the test.
type Database struct {
	Pool     *pgxpool.Pool // as the service's role, which cannot alter the schema
	URL      string        // of the service's role
	OwnerURL string        // of the owner, for what the service must not do
}

// New creates a database of the set. It needs TEST_POSTGRES_URL, the URL of a superuser on a throw-away server, and fails the test without it.
func New(t testing.TB, set migrations.Set) Database {
	t.Helper()
	server := os.Getenv("TEST_POSTGRES_URL")
	if server == "" {
		t.Fatal("TEST_POSTGRES_URL is not set: run `make test`, or `go run ./devstack/cmd/stack exec -- go test ./...`")
	}
	ctx := context.WithoutCancel(t.Context())
	conn, err := pgx.Connect(ctx, server)
	must(t, err)
	defer func() { _ = conn.Close(ctx) }()
	name := "test_" + strings.ReplaceAll(uuid.NewString(), "-", "")
	create(ctx, t, conn, server, set, name)
	pool, err := pgxpool.New(ctx, with(t, server, name, set.Role))
	must(t, err)
	t.Cleanup(func() {
		pool.Close()
		conn, err := pgx.Connect(ctx, server)
		must(t, err)
		defer func() { _ = conn.Close(ctx) }()
		_, err = conn.Exec(ctx, "DROP DATABASE "+name+" WITH (FORCE)")
		must(t, err)
	})
	return Database{Pool: pool, URL: with(t, server, name, set.Role), OwnerURL: with(t, server, name, "")}
}

// create copies the template, making it first where it is missing. The lock is for test programs that run at the same time.
func create(ctx context.Context, t testing.TB, conn *pgx.Conn, server string, set migrations.Set, name string) {
	t.Helper()
	template := fmt.Sprintf("template_%s_%s", set.Name, fingerprint(t, set))
	_, err := conn.Exec(ctx, `SELECT pg_advisory_lock(hashtextextended($1, 0))`, template)
	must(t, err)
	defer func() {
		_, err := conn.Exec(ctx, `SELECT pg_advisory_unlock(hashtextextended($1, 0))`, template)
		must(t, err)
	}()
	var exists bool
	must(t, conn.QueryRow(ctx, `SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)`, template).Scan(&exists))
	if !exists {
		making := template + "_new"
		_, err = conn.Exec(ctx, "DROP DATABASE IF EXISTS "+making)
		must(t, err)
		_, err = conn.Exec(ctx, "CREATE DATABASE "+making)
		must(t, err)
		_, err = set.Apply(ctx, with(t, server, making, ""), Password)
		must(t, err)
		_, err = conn.Exec(ctx, "ALTER DATABASE "+making+" RENAME TO "+template)
		must(t, err)
	}
	_, err = conn.Exec(ctx, "CREATE DATABASE "+name+" TEMPLATE "+template)
	must(t, err)
}

func fingerprint(t testing.TB, set migrations.Set) string {
	t.Helper()
	text, err := set.Text()
	must(t, err)
	h := fnv.New64a()
	_, _ = h.Write([]byte(text))
	return fmt.Sprintf("%016x", h.Sum64())
}

// with changes the database of a URL, and its user when role is not empty.
func with(t testing.TB, server, database, role string) string {
	t.Helper()
	u, err := url.Parse(server)
	must(t, err)
	u.Path = "/" + database
	if role != "" {
		u.User = url.UserPassword(role, Password)
	}
	return u.String()
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
