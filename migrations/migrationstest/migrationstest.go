// Package migrationstest creates a database for each test, copied from a migrated template.
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

// Password is the password of the services' roles on the test server.
const Password = "test_password"

// Database is a migrated database. It is dropped at the end of the test.
type Database struct {
	Pool     *pgxpool.Pool // as the service's role, which cannot alter the schema
	URL      string        // of the service's role
	OwnerURL string        // of the owner, for what the service must not do
}

// New creates a database of the set. It requires TEST_POSTGRES_URL, the URL of a superuser on a
// throw-away server, and fails the test without it.
func New(tb testing.TB, set migrations.Set) Database {
	tb.Helper()

	server := os.Getenv("TEST_POSTGRES_URL")
	if server == "" {
		tb.Fatal(
			"TEST_POSTGRES_URL is not set: run `make test`, or `go run ./devstack/cmd/stack " +
				"exec -- go test ./...`",
		)
	}

	ctx := context.WithoutCancel(tb.Context())
	conn, err := pgx.Connect(ctx, server)
	must(tb, err)

	defer func() { _ = conn.Close(ctx) }()
	name := "test_" + strings.ReplaceAll(uuid.NewString(), "-", "")
	create(ctx, tb, conn, server, set, name)
	pool, err := pgxpool.New(ctx, with(tb, server, name, set.Role))
	must(tb, err)
	tb.Cleanup(func() {
		pool.Close()
		conn, err := pgx.Connect(ctx, server)
		must(tb, err)

		defer func() { _ = conn.Close(ctx) }()
		_, err = conn.Exec(ctx, "DROP DATABASE "+name+" WITH (FORCE)")
		must(tb, err)
	})

	return Database{
		Pool:     pool,
		URL:      with(tb, server, name, set.Role),
		OwnerURL: with(tb, server, name, ""),
	}
}

// create copies the template, and creates the template if it is missing. The lock is for concurrent
// test programs.
func create(
	ctx context.Context,
	tb testing.TB,
	conn *pgx.Conn,
	server string,
	set migrations.Set,
	name string,
) {
	tb.Helper()
	template := fmt.Sprintf("template_%s_%s", set.Name, fingerprint(tb, set))
	_, err := conn.Exec(ctx, `SELECT pg_advisory_lock(hashtextextended($1, 0))`, template)

	must(tb, err)
	defer func() {
		_, err := conn.Exec(ctx, `SELECT pg_advisory_unlock(hashtextextended($1, 0))`, template)
		must(tb, err)
	}()

	var exists bool
	must(
		tb,
		conn.QueryRow(
			ctx,
			`SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)`,
			template,
		).Scan(&exists),
	)

	if !exists {
		creating := template + "_new"
		_, err = conn.Exec(ctx, "DROP DATABASE IF EXISTS "+creating)
		must(tb, err)
		_, err = conn.Exec(ctx, "CREATE DATABASE "+creating)
		must(tb, err)
		_, err = set.Apply(ctx, with(tb, server, creating, ""), Password)
		must(tb, err)
		_, err = conn.Exec(ctx, "ALTER DATABASE "+creating+" RENAME TO "+template)
		must(tb, err)
	}

	_, err = conn.Exec(ctx, "CREATE DATABASE "+name+" TEMPLATE "+template)
	must(tb, err)
}

func fingerprint(tb testing.TB, set migrations.Set) string {
	tb.Helper()
	text, err := set.Text()
	must(tb, err)
	h := fnv.New64a()
	_, _ = h.Write([]byte(text))

	return fmt.Sprintf("%016x", h.Sum64())
}

// with changes the database of a URL, and its user unless role is empty.
func with(tb testing.TB, server, database, role string) string {
	tb.Helper()
	u, err := url.Parse(server)
	must(tb, err)

	u.Path = "/" + database
	if role != "" {
		u.User = url.UserPassword(role, Password)
	}

	return u.String()
}

func must(tb testing.TB, err error) {
	tb.Helper()

	if err != nil {
		tb.Fatal(err)
	}
}
