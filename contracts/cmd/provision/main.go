// Command provision sets the broker up: topics, partitions, retention, durable subscriptions and schemas. It may run any number of times.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"time"

	"tributary/contracts"
	"tributary/platform/broker"
	"tributary/platform/config"
	"tributary/platform/process"
)

func main() { os.Exit(process.Main(os.Args[1:], os.Stderr, run)) }

type settings struct {
	broker.Config

	AdminURL string        `envconfig:"PULSAR_ADMIN_URL" default:"http://localhost:8080"`
	Topic    string        `envconfig:"PULSAR_TOPIC" default:"persistent://public/default/tracking-events"`
	Wait     time.Duration `envconfig:"PROVISION_WAIT" default:"120s"`
}

func (s *settings) Validate() []string { return s.Config.Validate() }

func run(ctx context.Context, args []string) error {
	if err := flag.NewFlagSet("provision", flag.ContinueOnError).Parse(args); err != nil {
		return err
	}
	var s settings
	if err := config.Load(&s); err != nil {
		return err
	}
	admin, err := broker.NewAdmin(s.Config, s.AdminURL)
	if err != nil {
		return err
	}
	plan, err := contracts.Plan(s.Topic)
	if err != nil {
		return err
	}
	deadline := time.Now().Add(s.Wait)
	for {
		changes, err := admin.Apply(ctx, plan)
		for _, change := range changes {
			fmt.Println("broker:", change)
		}
		if err == nil {
			fmt.Printf("broker: %d topics are as they should be\n", len(plan.Topics))
			return nil
		}
		if time.Now().After(deadline) || ctx.Err() != nil {
			return fmt.Errorf("set up the broker at %s (is it started? on a managed broker create the topics of docs/operations.md by its own console): %w", s.AdminURL, err)
		}
		select { // just after its start a broker may not know its own namespace yet
		case <-ctx.Done():
		case <-time.After(time.Second):
		}
	}
}
