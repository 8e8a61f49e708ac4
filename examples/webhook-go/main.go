// Command webhook-go forwards commission events to one HTTPS endpoint by Standard Webhooks.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	path := flag.String("state", "webhook.json", "file for the position")
	flag.Parse()

	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, *path, log)

	cancel()

	if err != nil {
		log.Error(err.Error())
		os.Exit(1)
	}
}

func run(ctx context.Context, path string, log *slog.Logger) error {
	target, err := newEndpoint(os.Getenv("WEBHOOK_URL"), os.Getenv("WEBHOOK_SECRET"))
	if err != nil {
		return err
	}

	source := newFeed(
		cmp.Or(os.Getenv("COMMISSION_URL"), "http://localhost:8001"),
		os.Getenv("COMMISSION_TOKEN"),
	)

	f, err := newForwarder(source, target, path, log)
	if err != nil {
		return err
	}

	err = f.run(ctx)
	if errors.Is(err, errExpired) {
		log.Error("remove the state file to go on with the oldest event that is kept")
	}

	return err
}
