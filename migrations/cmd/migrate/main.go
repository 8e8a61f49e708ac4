// Command migrate brings the databases to the newest schema (migrate, or migrate up) or shows what
// is applied (migrate status). It runs as the databases' owner and creates the services' roles.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"time"

	"github.com/jackc/pgx/v5"

	"tributary/migrations"
	"tributary/platform/config"
	"tributary/platform/process"
)

func main() { os.Exit(process.Main(os.Args[1:], os.Stderr, run)) }

type settings struct {
	// TrackingURL is tracking's database, as its owner.
	TrackingURL string `envconfig:"TRACKING_MIGRATION_URL" default:"postgres://postgres:postgres@localhost:5432/trackingdb?sslmode=disable"`
	// CommissionURL is commission's database, as its owner.
	CommissionURL string `envconfig:"COMMISSION_MIGRATION_URL" default:"postgres://postgres:postgres@localhost:5433/commissiondb?sslmode=disable"`
	// TrackingPassword is the password of tracking_user, with which both stacks connect tracking.
	TrackingPassword string `envconfig:"TRACKING_DB_PASSWORD" default:"tracking_password"`
	// CommissionPassword is the password of commission_user, with which both stacks connect
	// commission.
	CommissionPassword string `envconfig:"COMMISSION_DB_PASSWORD" default:"commission_password"`
	// Wait is how long to wait for a database that does not answer.
	Wait time.Duration `envconfig:"MIGRATION_WAIT" default:"60s"`
}

func (s *settings) Validate() []string {
	var faults []string
	if s.TrackingPassword == "" || s.CommissionPassword == "" {
		faults = append(faults, "TRACKING_DB_PASSWORD and COMMISSION_DB_PASSWORD must not be empty")
	}

	return faults
}

func run(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("migrate", flag.ContinueOnError)

	which := flags.String("database", "all", "tracking, commission or all")
	if err := flags.Parse(args); err != nil {
		return err
	}

	var s settings
	if err := config.Load(&s); err != nil {
		return err
	}

	if *which != "tracking" && *which != "commission" && *which != "all" {
		return fmt.Errorf("-database must be tracking, commission or all, not %q", *which)
	}

	do := apply
	switch command := flags.Arg(0); command {
	case "", "up":
	case "status":
		do = status
	default:
		return fmt.Errorf("the command must be up or status, not %q", command)
	}

	if *which != "commission" {
		if err := do(
			ctx,
			migrations.Tracking(),
			s.TrackingURL,
			s.TrackingPassword,
			s.Wait,
		); err != nil {
			return err
		}
	}

	if *which != "tracking" {
		return do(ctx, migrations.Commission(), s.CommissionURL, s.CommissionPassword, s.Wait)
	}

	return nil
}

func status(ctx context.Context, set migrations.Set, url, _ string, wait time.Duration) error {
	if err := await(ctx, url, wait); err != nil {
		return fmt.Errorf(
			"the %s database does not answer (is it started? is the URL right?): %w",
			set.Name,
			err,
		)
	}

	lines, err := set.Status(ctx, url)
	for _, line := range lines {
		fmt.Printf("%s: %s\n", set.Name, line)
	}

	return err
}

func apply(
	ctx context.Context,
	set migrations.Set,
	url, password string,
	wait time.Duration,
) error {
	if err := await(ctx, url, wait); err != nil {
		return fmt.Errorf(
			"the %s database does not answer (is it started? is the URL right?): %w",
			set.Name,
			err,
		)
	}

	applied, err := set.Apply(ctx, url, password)
	for _, file := range applied {
		fmt.Printf("%s: applied %s\n", set.Name, file)
	}

	if err != nil {
		return fmt.Errorf("migrate %s: %w", set.Name, err)
	}

	if len(applied) == 0 {
		fmt.Printf("%s: up to date\n", set.Name)
	}

	return nil
}

// await polls until the database answers or the time is over.
func await(ctx context.Context, url string, wait time.Duration) error {
	deadline := time.Now().Add(wait)
	for {
		conn, err := pgx.Connect(ctx, url)
		if err == nil {
			return conn.Close(ctx)
		}

		if time.Now().After(deadline) || ctx.Err() != nil {
			return err
		}

		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(500 * time.Millisecond):
		}
	}
}
