// Command provision configures the broker: tenant, namespace, topics, partitions, retention,
// durable subscriptions and schemas. It waits for the broker, is idempotent, and never removes
// anything.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"tributary/contracts"
	"tributary/platform/broker"
	"tributary/platform/config"
	"tributary/platform/process"
)

func main() { os.Exit(process.Main(os.Args[1:], os.Stderr, run)) }

type settings struct {
	broker.Config

	// AdminURL is the broker's administration address.
	AdminURL string `envconfig:"PULSAR_ADMIN_URL" default:"http://localhost:8080"`
	// Topic is the full name of the topic of events.
	Topic string `envconfig:"PULSAR_TOPIC" default:"persistent://public/default/tracking-events"`
	// Wait is how long to wait for a broker that does not answer.
	Wait time.Duration `envconfig:"PROVISION_WAIT" default:"120s"`
}

func (s *settings) Validate() []string { return s.Config.Validate() }

const (
	attemptTimeout = 30 * time.Second
	pause          = time.Second
	patience       = 10 * time.Second // between log lines while waiting
)

func run(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("provision", flag.ContinueOnError)
	dry := flags.Bool(
		"print",
		false,
		"print what the broker must have and do nothing, for a broker that an operator configures",
	)

	retention := flags.Duration(
		"retention",
		0,
		"how long acknowledged commands are kept; 0 for the plan's",
	)
	if err := flags.Parse(args); err != nil {
		return err
	}

	var s settings
	if err := config.Load(&s); err != nil {
		return err
	}

	plan, err := contracts.Plan(s.Topic)
	if err != nil {
		return err
	}

	if *retention > 0 {
		plan.Retention = *retention
	}

	if *dry {
		return show(os.Stdout, s.Config, plan)
	}

	admin, err := broker.NewAdmin(s.Config, s.AdminURL)
	if err != nil {
		return err
	}

	if err := apply(ctx, admin, plan, s); err != nil {
		return err
	}

	return show(os.Stdout, s.Config, plan)
}

// apply retries until the broker matches the plan: just after its start a broker may not know its
// own namespace yet.
func apply(ctx context.Context, admin *broker.Admin, plan broker.Plan, s settings) error {
	start := time.Now()

	said := start
	for {
		attempt, cancel := context.WithTimeout(ctx, attemptTimeout)
		changes, err := admin.Apply(attempt, plan)
		cancel()

		if err == nil && len(changes) == 0 {
			changes = []string{"nothing to change"}
		}

		for _, change := range changes {
			fmt.Println("broker:", change)
		}

		switch {
		case err == nil:
			return nil
		case errors.Is(err, broker.ErrForbidden):
			fmt.Println(
				"This command requires the rights of a namespace administrator. Create the " +
					"following with the broker's own console or tools, or skip it if topics are created on first use:",
			)

			return errors.Join(show(os.Stdout, s.Config, plan), err)
		case errors.Is(err, broker.ErrDiffers):
			return err
		case time.Since(start) > s.Wait, ctx.Err() != nil:
			return fmt.Errorf(
				"set up the broker at %s (is it started? is PULSAR_ADMIN_URL right?): %w",
				s.AdminURL,
				err,
			)
		case time.Since(said) > patience || said.Equal(start):
			said = time.Now()
			fmt.Printf(
				"broker: waiting for %s (%s of %s): %v\n",
				s.AdminURL,
				time.Since(start).Round(time.Second),
				s.Wait,
				err,
			)
		}

		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
	}
}

// show prints the plan as a table.
func show(w io.Writer, c broker.Config, plan broker.Plan) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)

	_, _ = fmt.Fprintln(table, "TOPIC\tPARTITIONS\tKEPT\tSUBSCRIPTIONS\tSCHEMA")
	for _, t := range plan.Topics {
		kept := plan.Retention
		partitions := "none"
		schema := "none"

		if t.Retention > 0 {
			kept = t.Retention
		}

		if t.Partitions > 0 {
			partitions = fmt.Sprint(t.Partitions)
		}

		if t.Schema != "" {
			schema = "JSON"
		}

		_, _ = fmt.Fprintf(
			table,
			"%s\t%s\t%s\t%s\t%s\n",
			c.Topic(t.Name),
			partitions,
			kept,
			strings.Join(t.Subscriptions, ", "),
			schema,
		)
	}

	return table.Flush()
}
