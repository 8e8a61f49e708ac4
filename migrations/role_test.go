package migrations_test

import (
	"net/url"
	"testing"

	"github.com/jackc/pgx/v5"

	"tributary/migrations"
	"tributary/migrations/migrationstest"
	"tributary/platform/postgres"
)

// as returns the URL with another user and, unless empty, another database.
func as(t *testing.T, ownerURL, role, database string) string {
	t.Helper()

	u, err := url.Parse(ownerURL)
	if err != nil {
		t.Fatal(err)
	}

	u.User = url.UserPassword(role, migrationstest.Password)
	if database != "" {
		u.Path = "/" + database
	}

	return u.String()
}

// The service's role may use the tables of its database and nothing else on the server.
func TestTheServiceRoleHasNoOtherRight(t *testing.T) {
	t.Parallel()

	for _, set := range []migrations.Set{migrations.Tracking(), migrations.Commission()} {
		t.Run(set.Name, func(t *testing.T) {
			t.Parallel()

			owner := emptyDatabase(t)
			if _, err := set.Apply(t.Context(), owner, migrationstest.Password); err != nil {
				t.Fatal(err)
			}

			conn, err := pgx.Connect(t.Context(), as(t, owner, set.Role, ""))
			if err != nil {
				t.Fatal(err)
			}

			t.Cleanup(func() { _ = conn.Close(t.Context()) })

			for _, statement := range []string{
				"CREATE TEMPORARY TABLE mine (x int)",
				"SELECT lo_create(0)",
				"SELECT lo_creat(0)",
				"SELECT lo_from_bytea(0, 'x')",
				"SELECT lo_import('/etc/hostname')",
			} {
				if _, err := conn.Exec(t.Context(), statement); postgres.Code(err) != "42501" {
					t.Errorf("%s: %v, want insufficient privilege", statement, err)
				}
			}

			var timeout, scans string
			if err := conn.QueryRow(t.Context(), `SELECT current_setting('statement_timeout'),
    current_setting('enable_seqscan')`).Scan(&timeout, &scans); err != nil {
				t.Fatal(err)
			}

			if timeout != "30s" || scans != "off" {
				t.Errorf("statement_timeout %s, enable_seqscan %s", timeout, scans)
			}

			other := migrations.Commission()
			if other == set {
				other = migrations.Tracking()
			}

			elsewhere := emptyDatabase(t)
			if _, err := other.Apply(t.Context(), elsewhere, migrationstest.Password); err != nil {
				t.Fatal(err)
			}

			for name, link := range map[string]string{
				"postgres":          as(t, owner, set.Role, "postgres"),
				"template1":         as(t, owner, set.Role, "template1"),
				"the other service": as(t, elsewhere, set.Role, ""),
			} {
				_, err := pgx.Connect(t.Context(), link)
				if postgres.Code(err) != "42501" {
					t.Errorf("connecting to %s: %v, want insufficient privilege", name, err)
				}
			}
		})
	}
}
