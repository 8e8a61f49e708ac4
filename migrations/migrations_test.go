package migrations_test

import (
	"context"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"tributary/migrations"
	"tributary/migrations/migrationstest"
	"tributary/platform/postgres"
)

func TestTheServiceRoleCannotAlterTheSchema(t *testing.T) {
	t.Parallel()

	for _, set := range []migrations.Set{migrations.Tracking(), migrations.Commission()} {
		t.Run(set.Name, func(t *testing.T) {
			t.Parallel()

			db := migrationstest.New(t, set)
			for _, statement := range []string{
				"CREATE TABLE mine (x int)", "DROP TABLE goose_db_version", "CREATE SCHEMA mine", "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
				"UPDATE goose_db_version SET version_id = 99",
			} {
				if _, err := db.Pool.Exec(t.Context(), statement); postgres.Code(err) != "42501" {
					t.Errorf("%s: %v, want insufficient privilege", statement, err)
				}
			}
		})
	}
}

func TestVersionIsChecked(t *testing.T) {
	t.Parallel()
	db := migrationstest.New(t, migrations.Tracking())

	version, err := migrations.Tracking().Version()
	if err != nil {
		t.Fatal(err)
	}

	if err := postgres.CheckVersion(t.Context(), db.Pool, version); err != nil {
		t.Errorf("CheckVersion after migrating: %v", err)
	}

	if err := postgres.CheckVersion(t.Context(), db.Pool, version+1); err == nil {
		t.Error("CheckVersion = nil for a schema that is too old")
	}
}

func TestMigratorsAtTheSameTimeApplyEachFileOnce(t *testing.T) {
	t.Parallel()
	owner := emptyDatabase(t)

	var wg sync.WaitGroup

	applied := make([][]string, 4)
	for i := range applied {
		wg.Go(func() {
			var err error
			if applied[i], err = migrations.Tracking().Apply(
				t.Context(),
				owner,
				migrationstest.Password,
			); err != nil {
				t.Errorf("Apply: %v", err)
			}
		})
	}

	wg.Wait()

	count := map[string]int{}
	for _, files := range applied {
		for _, f := range files {
			count[f]++
		}
	}

	if len(count) == 0 {
		t.Fatal("no file was applied")
	}

	for f, n := range count {
		if n != 1 {
			t.Errorf("%s was applied %d times", f, n)
		}
	}
}

// emptyDatabase creates a database without a schema and returns its owner's URL.
func emptyDatabase(t *testing.T) string {
	t.Helper()
	base := migrationstest.New(t, migrations.Tracking()).OwnerURL

	conn, err := pgx.Connect(t.Context(), base)
	if err != nil {
		t.Fatal(err)
	}

	name := "empty_" + uuid.NewString()[:8]
	if _, err := conn.Exec(t.Context(), "CREATE DATABASE "+name); err != nil {
		t.Fatal(err)
	}

	t.Cleanup(func() {
		ctx := context.WithoutCancel(t.Context())
		if _, err := conn.Exec(ctx, "DROP DATABASE "+name+" WITH (FORCE)"); err != nil {
			t.Error(err)
		}

		_ = conn.Close(ctx)
	})

	u, err := url.Parse(base)
	if err != nil {
		t.Fatal(err)
	}

	u.Path = "/" + name

	return u.String()
}

func TestStatusTellsWhatIsApplied(t *testing.T) {
	t.Parallel()
	set := migrations.Tracking()

	before, err := set.Status(t.Context(), emptyDatabase(t))
	if err != nil {
		t.Fatal(err)
	}

	after, err := set.Status(t.Context(), migrationstest.New(t, set).OwnerURL)
	if err != nil {
		t.Fatal(err)
	}

	for name, lines := range map[string][]string{"pending": before, "applied": after} {
		if len(lines) == 0 {
			t.Errorf("no file is %s", name)
		}

		for _, line := range lines {
			if !strings.HasPrefix(line, name) {
				t.Errorf("%s, want it %s", line, name)
			}
		}
	}
}

// Roles belong to the server: migrating two databases of one server must not fail on their common
// role.
func TestTwoDatabasesOfAServerAreMigratedAtTheSameTime(t *testing.T) {
	t.Parallel()

	var wg sync.WaitGroup
	for range 4 {
		owner := emptyDatabase(t)
		wg.Go(func() {
			if _, err := migrations.Commission().Apply(
				t.Context(),
				owner,
				migrationstest.Password,
			); err != nil {
				t.Errorf("Apply: %v", err)
			}
		})
	}

	wg.Wait()
}

func TestStartRulesAreWrittenOnce(t *testing.T) {
	t.Parallel()

	set := migrations.Commission()
	db := migrationstest.New(t, set)

	if _, err := set.Apply(t.Context(), db.OwnerURL, migrationstest.Password); err != nil {
		t.Fatalf("Apply again: %v", err)
	}

	var rules, revision int
	if err := db.Pool.QueryRow(t.Context(), `SELECT (SELECT count(*) FROM rules), revision
FROM rules_revision`).Scan(&rules, &revision); err != nil {
		t.Fatal(err)
	}

	if rules != 5 || revision != 1 {
		t.Errorf("%d rules at revision %d after Apply twice, want 5 at 1", rules, revision)
	}
}
