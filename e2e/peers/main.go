// Command peers measures libraries that do what tracking does. It is a module of its own, outside
// go.work, so that what they require does not change the versions that the services are tested
// with. The benchmark builds and runs it, once for each measure:
//
//	peers -measure watermill -database URL -pulsar URL -length 8s -workers 256
//
// It prints the result as JSON.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"time"
)

func main() {
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt)
	defer cancel()

	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	measure := flag.String("measure", "", "watermill, forward, river or river-many")
	database := flag.String("database", "", "the URL of a database")
	broker := flag.String("pulsar", "", "the URL of the broker")
	length := flag.Duration("length", 8*time.Second, "how long to measure")
	workers := flag.Int("workers", 1, "how many goroutines work at once")
	flag.Parse()

	p, err := newPeers(ctx, *database, *broker)
	if err != nil {
		return err
	}
	defer p.close()

	var got done
	switch *measure {
	case "watermill":
		got, err = p.watermill(ctx, *length, *workers)
	case "forward":
		got, err = p.forward(ctx, *length)
	case "river":
		got, err = p.river(ctx, *length, *workers)
	case "river-many":
		got, err = p.riverMany(ctx, *length, *workers)
	default:
		err = fmt.Errorf("there is no measure %q", *measure)
	}

	if err != nil {
		return err
	}

	return json.NewEncoder(os.Stdout).Encode(got)
}
