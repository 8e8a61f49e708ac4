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
	_ "github.com/jackc/pgx/v5/stdlib" // the database/sql driver that goose needs
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

// The schema of each database, a folder each, and the data that a new database starts with.
//
//go:embed tracking/*.sql commission/*.sql data/*.sql
var files embed.FS

// Set is the schema of one database and the role of its service.
type Set struct {
	Name string // the folder of its files
	// The login role of the service. It may read and write rows, but not alter tables.
	Role string
}

// Tracking returns the schema of the tracking service's database.
func Tracking() Set { return Set{Name: "tracking", Role: "tracking_user"} }

// Commission returns the schema of the commission service's database.
func Commission() Set { return Set{Name: "commission", Role: "commission_user"} }

// Version returns the newest version of the set, which a service built with it requires.
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

// Apply creates the service's role with the password if it is missing, brings the schema to the
// newest version, and writes the data of a new database. ownerURL is the connection URL of the
// database's owner. Concurrent calls wait for each other. Apply returns the schema files that it
// applied.
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

// data returns the SQL that writes the data of a new database, and changes nothing in any other
// database. It is empty for a set without such data.
func (s Set) data() (string, error) {
	text, err := files.ReadFile("data/" + s.Name + ".sql")
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}

	return string(text), err
}

// Status returns one line for each file that says whether it is applied.
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

// Text returns everything that creates the set's database. Tests derive the names of their template
// databases from it.
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
	text.WriteString(strings.Join(settings(), "\n"))
	text.WriteString(strings.Join(largeObjects(), "\n"))

	return text.String(), err
}
