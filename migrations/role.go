package migrations

import (
	"context"
	"errors"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// settings of a service's role, for each of its sessions.
//
// The first keeps plans independent of statistics. A new database has none, so its queries are
// planned for tiny tables, and a prepared statement keeps such a plan while the tables grow. Every
// statement of a service finds its rows by an index.
func settings() []string {
	return []string{
		"enable_seqscan = off",
		"statement_timeout = '30s'", // statements that take longer by design raise it locally
	}
}

// largeObjects are the functions that create large objects.
func largeObjects() []string {
	return []string{
		"lo_creat(integer)",
		"lo_create(oid)",
		"lo_from_bytea(oid, bytea)",
		"lo_import(text)",
		"lo_import(text, oid)",
	}
}

// ensureRole retries if another database of the same server is being migrated: roles belong to the
// server, but an advisory lock to one database.
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

// createRole runs under an advisory lock, so that concurrent migrators do not interfere.
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

		r := roleState{role: s.Role, password: password}
		if err := r.read(ctx, tx); err != nil {
			return err
		}

		for _, statement := range r.statements() {
			if _, err := tx.Exec(ctx, statement); err != nil {
				return err
			}
		}

		return nil
	})
}

// roleState is the server's state of a role and of the connection's database.
type roleState struct {
	role, password string

	exists    bool
	superuser bool // whether the connection's user may change what belongs to the server
	database  string
	open      []string // the databases of the connection's user that anyone may connect to
}

func (r *roleState) read(ctx context.Context, tx pgx.Tx) error {
	return tx.QueryRow(ctx, `
SELECT
    EXISTS (SELECT FROM pg_roles WHERE rolname = $1),
    (SELECT rolsuper FROM pg_roles WHERE rolname = current_user),
    current_database(),
    coalesce((
        SELECT array_agg(datname::text)
        FROM pg_database AS d
        WHERE datname IN (current_database(), 'postgres', 'template1')
          AND pg_has_role(current_user, datdba, 'USAGE')
          AND EXISTS (
              SELECT FROM aclexplode(coalesce(datacl, acldefault('d', datdba))) WHERE grantee = 0
          )
    ), '{}')`, r.role).Scan(&r.exists, &r.superuser, &r.database, &r.open)
}

// statements creates the role and leaves it only the right to use the tables of this database.
// Default privileges precede the files: the service may then read and write the tables that these
// create, and the files revoke what it must not do.
func (r *roleState) statements() []string {
	role, database := quoted(r.role), quoted(r.database)

	verb := "CREATE"
	if r.exists {
		verb = "ALTER"
	}

	var list []string
	if r.superuser {
		// keep the statement with the password out of the server's log
		list = append(
			list,
			"SET LOCAL log_statement = 'none'",
			"SET LOCAL log_min_duration_statement = -1",
			"SET LOCAL log_min_error_statement = 'panic'",
		)
	}

	list = append(list, verb+" ROLE "+role+" LOGIN PASSWORD "+literal(r.password))
	for _, setting := range settings() {
		list = append(list, "ALTER ROLE "+role+" SET "+setting)
	}

	for _, open := range r.open {
		list = append(list, "REVOKE ALL ON DATABASE "+quoted(open)+" FROM PUBLIC")
	}

	if r.superuser {
		list = append(
			list,
			"REVOKE EXECUTE ON FUNCTION "+strings.Join(largeObjects(), ", ")+" FROM PUBLIC",
		)
	}

	return append(
		list,
		"GRANT CONNECT ON DATABASE "+database+" TO "+role,
		"REVOKE CREATE ON SCHEMA public FROM PUBLIC",
		"GRANT USAGE ON SCHEMA public TO "+role,
		"ALTER DEFAULT PRIVILEGES IN SCHEMA public"+
			" GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO "+role,
		"ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE ON SEQUENCES TO "+role,
	)
}

func quoted(name string) string { return pgx.Identifier{name}.Sanitize() }

// literal quotes text for statements that take no parameters.
func literal(text string) string {
	return "E'" + strings.ReplaceAll(strings.ReplaceAll(text, `\`, `\\`), `'`, `''`) + "'"
}
