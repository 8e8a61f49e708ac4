// Command dlq inspects and redrives the dead letters of the commission service:
//
//	dlq list                 waiting messages, with their reasons
//	dlq show ID              one message in full
//	dlq redrive ID… | all    back to the topics of origin
//
// It reads the durable subscription "operator", so a redriven message leaves the list. "all" means
// the messages that wait when it starts: a message that is refused again waits for the next run.
// Redriving twice is harmless: an event is decided once, and a payment request takes effect once.
// With -topic bff-payment-request-v1-dlq it handles payment requests.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"

	"tributary/contracts"
	"tributary/platform/broker"
	"tributary/platform/config"
	"tributary/platform/process"
)

func main() {
	os.Exit(
		process.Main(
			os.Args[1:],
			os.Stderr,
			func(ctx context.Context, args []string) error { return run(ctx, args, os.Stdout) },
		),
	)
}

type settings struct{ broker.Config }

func (s *settings) Validate() []string { return s.Config.Validate() }

func run(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("dlq", flag.ContinueOnError)

	topic := flags.String("topic", contracts.TrackingEventsDeadLetter, "the dead-letter topic")
	if err := flags.Parse(args); err != nil {
		return err
	}

	var s settings
	if err := config.Load(&s); err != nil {
		return err
	}

	box, err := open(s.Config, s.Topic(*topic))
	if err != nil {
		return err
	}
	defer box.close()

	ids := flags.Args()[min(1, flags.NArg()):]
	switch flags.Arg(0) {
	case "list":
		return box.each(ctx, func(l letter) error {
			_, err := fmt.Fprintf(out, "%s\t%s\t%s\t%s\n", l.id, l.at, l.topic, l.reason)
			return err
		})
	case "show":
		return box.each(ctx, func(l letter) error {
			if !slices.Contains(ids, l.id) {
				return nil
			}

			_, err := fmt.Fprintf(
				out,
				"id: %s\nkey: %s\nproperties: %v\n%s\n",
				l.id,
				l.message.Key(),
				l.message.Properties(),
				l.message.Payload(),
			)

			return err
		})
	case "redrive":
		redriven := 0
		err := box.each(ctx, func(l letter) error {
			if !slices.Contains(ids, l.id) && !slices.Contains(ids, "all") {
				return nil
			}

			redriven++

			return box.redrive(ctx, l)
		})
		_, _ = fmt.Fprintf(out, "%d redriven\n", redriven)

		return err
	}

	return fmt.Errorf(
		"say what to do: dlq [-topic %s] list | show ID | redrive ID… | redrive all",
		*topic,
	)
}
