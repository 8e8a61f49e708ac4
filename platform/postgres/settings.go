package postgres

import (
	"net/url"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"tributary/platform/config"
)

// Faults returns what is wrong with a DATABASE_URL. Production refuses insecure ones.
func Faults(databaseURL string, production bool) []string {
	switch {
	case databaseURL == "":
		return []string{"DATABASE_URL must be set"}
	case production:
		return ProductionFaults(databaseURL)
	}

	return nil
}

// ProductionFaults returns what production refuses about a DATABASE_URL (postgres://…): example
// passwords, roles that own servers, and a connection to another machine that does not verify its
// identity. The URL is read as the driver reads it, including parameters and PG… variables. No
// fault contains a part of the URL.
func ProductionFaults(databaseURL string) []string {
	address, err := url.Parse(databaseURL)
	if err != nil || (address.Scheme != "postgres" && address.Scheme != "postgresql") {
		return []string{
			"DATABASE_URL must look like postgres://user:password@host:5432/database?sslmode=verify-full",
		}
	}

	parsed, err := pgconn.ParseConfig(databaseURL)
	if err != nil {
		return []string{"DATABASE_URL cannot be read by the driver, or names files that cannot"}
	}

	var faults []string
	if parsed.Password != "" && weakPassword(parsed.User, parsed.Password) {
		faults = append(faults, "DATABASE_URL contains an example password: refused in production")
	}

	if owner(parsed.User) {
		faults = append(
			faults,
			"DATABASE_URL must name the service's own role in production, not a superuser",
		)
	}

	if !verified(parsed) {
		faults = append(
			faults,
			"DATABASE_URL must have sslmode=verify-full in production: other modes do not check "+
				"which machine answers",
		)
	}

	return faults
}

// verified reports whether every connection that the driver may try stays on this machine or
// verifies the certificate and its name.
func verified(parsed *pgconn.Config) bool {
	tries := append(
		[]*pgconn.FallbackConfig{{Host: parsed.Host, TLSConfig: parsed.TLSConfig}},
		parsed.Fallbacks...)

	return !slices.ContainsFunc(tries, func(try *pgconn.FallbackConfig) bool {
		socket := strings.HasPrefix(try.Host, "/") || strings.HasPrefix(try.Host, "@")

		return !socket && !config.Local(try.Host) &&
			(try.TLSConfig == nil || try.TLSConfig.InsecureSkipVerify)
	})
}

// owner reports whether the role is one that PostgreSQL, or a provider of it, creates for its
// owner.
func owner(role string) bool {
	return slices.Contains([]string{
		"postgres", "root", "admin", "administrator", "superuser", "pgadmin", "dba", "rdsadmin",
		"rds_superuser", "cloudsqladmin", "cloudsqlsuperuser", "azure_superuser", "azuresu",
		"doadmin", "avnadmin", "supabase_admin", "neon_superuser", "enterprisedb",
	}, strings.ToLower(role))
}

func weakPassword(user, password string) bool {
	return len(password) < 8 || strings.EqualFold(user, password) || config.Guessable(password)
}
