// Package migrations holds the schema of each database and applies it as the database's owner. The
// services themselves have no right to alter a schema; they only check its version.
package migrations

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	_ "github.com/jackc/pgx/v5/stdlib" // the database/sql driver that goose needs
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

// The schema of each database, a folder each, and the data that a new database starts with.
//
//go:embed tracking/*.sql commission/*.sql data/*.sql
var files embed.FS

// Set is the schema of one database and the role of the service that uses it.
type Set struct {
	Name string // the folder of its files
	// the login role that the service uses; it may read and write rows, not alter tables
	Role string
}

// Tracking is the schema of the tracking service's database.
func Tracking() Set { return Set{Name: "tracking", Role: "tracking_user"} }

// Commission is the schema of the commission service's database.
func Commission() Set { return Set{Name: "commission", Role: "commission_user"} }

// Version is the newest version of the set: the one that a service built with it needs.
func (s Set) Version() (int64, error) {
	entries, err := fs.ReadDir(files, s.Name)
	if err != nil {
		return 0, err
	}

	var newest int64
	for _, e := range entries {
		version, err := goose.NumericComponent(e.Name())
		if err != nil {
			return 0, fmt.Errorf("%s: %w", e.Name(), err)
		}

		newest = max(newest, version)
	}

	return newest, nil
}

// Apply creates the service's role with the password where it is missing, brings the schema to the
// newest version, and writes the data that a new database starts with. ownerURL is the connection
// URL of the database's owner. Apply may run several times at once: one waits for the other. It
// returns the files of the schema that it applied.
func (s Set) Apply(ctx context.Context, ownerURL, password string) ([]string, error) {
	if err := s.ensureRole(ctx, ownerURL, password); err != nil {
		return nil, fmt.Errorf("role %s: %w", s.Role, err)
	}

	provider, db, err := s.provider(ownerURL)
	if err != nil {
		return nil, err
	}

	defer func() { _ = db.Close() }()
	results, err := provider.Up(ctx)

	var applied []string
	for _, r := range results {
		applied = append(applied, r.Source.Path)
	}

	if err != nil {
		return applied, err
	}

	//nolint:gosec // an identifier takes no parameter and is quoted
	_, err = db.ExecContext(
		ctx,
		"REVOKE INSERT, UPDATE, DELETE ON goose_db_version FROM "+pgx.Identifier{s.Role}.Sanitize(),
	)
	if err != nil {
		return applied, err
	}

	data, err := s.data()
	if err != nil {
		return applied, err
	}

	_, err = db.ExecContext(ctx, data)

	return applied, err
}

// data is the SQL that writes what a new database starts with, and changes nothing in any other
// database. It is empty for a set without such data.
func (s Set) data() (string, error) {
	text, err := files.ReadFile("data/" + s.Name + ".sql")
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}

	return string(text), err
}

// Status tells which files are applied and which are not, a line each.
func (s Set) Status(ctx context.Context, ownerURL string) ([]string, error) {
	provider, db, err := s.provider(ownerURL)
	if err != nil {
		return nil, err
	}

	defer func() { _ = db.Close() }()
	states, err := provider.Status(ctx)

	var lines []string
	for _, state := range states {
		line := "pending  " + state.Source.Path
		if state.State == goose.StateApplied {
			line = "applied  " + state.Source.Path + "  " + state.AppliedAt.UTC().Format(
				time.RFC3339,
			)
		}

		lines = append(lines, line)
	}

	return lines, err
}

func (s Set) provider(ownerURL string) (*goose.Provider, *sql.DB, error) {
	folder, err := fs.Sub(files, s.Name)
	if err != nil {
		return nil, nil, err
	}

	locker, err := lock.NewPostgresSessionLocker()
	if err != nil {
		return nil, nil, err
	}

	db, err := sql.Open("pgx", ownerURL)
	if err != nil {
		return nil, nil, err
	}

	provider, err := goose.NewProvider(
		goose.DialectPostgres,
		db,
		folder,
		goose.WithSessionLocker(locker),
		goose.WithDisableGlobalRegistry(true),
	)
	if err != nil {
		return nil, nil, errors.Join(err, db.Close())
	}

	return provider, db, nil
}

// ensureRole tries again where another database of the same server is migrated at the same time:
// roles belong to the server, and an advisory lock to one database.
func (s Set) ensureRole(ctx context.Context, ownerURL, password string) error {
	for attempt := 0; ; attempt++ {
		err := s.createRole(ctx, ownerURL, password)

		var pg *pgconn.PgError
		if err == nil || attempt == 10 || !errors.As(err, &pg) ||
			(pg.Code != "42710" && pg.Code != "23505" && pg.Code != "XX000") {
			return err
		}
	}
}

// The role is made under an advisory lock, so that migrators at the same time do not meet in the
// middle. Default privileges come first: tables that the files create are then the service's to
// read and write, and the files take back what it must not.
func (s Set) createRole(ctx context.Context, ownerURL, password string) error {
	conn, err := pgx.Connect(ctx, ownerURL)
	if err != nil {
		return err
	}

	defer func() { _ = conn.Close(ctx) }()

	return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		if _, err := tx.Exec(
			ctx,
			`SELECT pg_advisory_xact_lock(hashtextextended('tributary migrations', 0))`,
		); err != nil {
			return err
		}

		var (
			exists   bool
			database string
		)
		if err := tx.QueryRow(ctx, `SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1),
    current_database()`, s.Role).Scan(&exists, &database); err != nil {
			return err
		}

		role, db := pgx.Identifier{s.Role}.Sanitize(), pgx.Identifier{database}.Sanitize()

		verb := "CREATE"
		if exists {
			verb = "ALTER"
		}

		for _, statement := range []string{
			verb + " ROLE " + role + " LOGIN PASSWORD " + literal(password),
			"GRANT CONNECT ON DATABASE " + db + " TO " + role,
			"REVOKE CREATE ON SCHEMA public FROM PUBLIC",
			"GRANT USAGE ON SCHEMA public TO " + role,
			"ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON " +
				"TABLES TO " + role,
			"ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE ON SEQUENCES TO " + role,
		} {
			if _, err := tx.Exec(ctx, statement); err != nil {
				return err
			}
		}

		return nil
	})
}

// literal quotes text for statements that take no parameters.
func literal(text string) string {
	return "E'" + strings.ReplaceAll(strings.ReplaceAll(text, `\`, `\\`), `'`, `''`) + "'"
}

// Text is all files of the set, one after the other. Tests name their template databases by it.
func (s Set) Text() (string, error) {
	names, err := fs.Glob(files, s.Name+"/*.sql")
	if err != nil {
		return "", err
	}

	var text strings.Builder
	for _, name := range names {
		content, err := files.ReadFile(name)
		if err != nil {
			return "", err
		}

		text.Write(content)
	}

	data, err := s.data()
	text.WriteString(data)

	return text.String(), err
}
