// Command consumer-go is an example of a consuming service: it acts on accepted campaigns. The
// "effect" is a line in a file.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/apache/pulsar-client-go/pulsar"
)

const (
	topicName    = "bff-campaign-accept-v1"
	subscription = "campaign-service"
)

func main() {
	idle := flag.Duration("idle", 0, "stop after this time without a message; 0: run until interrupted")
	file := flag.String("file", "accepted.jsonl", "file for the effects")
	flag.Parse()

	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer cancel()

	if err := run(ctx, *file, *idle); err != nil {
		log.Print(err)
		cancel()
		os.Exit(1)
	}
}

func run(ctx context.Context, file string, idle time.Duration) error {
	effects, err := openLedger(file)
	if err != nil {
		return err
	}
	defer effects.close()

	consumer, closeAll, err := subscribe()
	if err != nil {
		return err
	}
	defer closeAll()

	for {
		message, err := receive(ctx, consumer, idle)
		switch {
		case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
			return nil
		case err != nil:
			return err
		}

		if err := act(effects, message); err != nil {
			return err // not acknowledged: it is delivered again after a restart
		}

		if err := consumer.Ack(message); err != nil {
			log.Printf("not acknowledged, will be delivered again: %v", err)
		}
	}
}

// act stores the effect of a command once.
func act(effects *ledger, message pulsar.Message) error {
	cmd, err := parse(message.Payload())
	if err != nil {
		// A real service publishes it to its dead-letter topic. The payload is not printed, as it
		// may be personal data.
		log.Printf("cannot read message %s: %v", message.ID(), err)
		return nil
	}

	fresh, err := effects.accept(cmd)
	if err != nil {
		return err
	}

	if !fresh {
		fmt.Printf("again    %s\n", cmd.CommandID)
		return nil
	}

	fmt.Printf(
		"accepted %s user=%s campaign=%s verified=%t\n",
		cmd.CommandID,
		cmd.UserID,
		cmd.Payload.CampaignID,
		cmd.Identity.Verified,
	)

	return nil
}

func receive(ctx context.Context, consumer pulsar.Consumer, idle time.Duration) (pulsar.Message, error) {
	if idle > 0 {
		limited, cancel := context.WithTimeout(ctx, idle)
		defer cancel()
		ctx = limited
	}

	return consumer.Receive(ctx)
}

func subscribe() (pulsar.Consumer, func(), error) {
	options := pulsar.ClientOptions{
		URL:               setting("PULSAR_SERVICE_URL", "pulsar://localhost:6650"),
		ConnectionTimeout: 5 * time.Second,
	}
	if token := os.Getenv("PULSAR_TOKEN"); token != "" {
		options.Authentication = pulsar.NewAuthenticationToken(token)
	}

	client, err := pulsar.NewClient(options)
	if err != nil {
		return nil, nil, err
	}

	namespace := setting("PULSAR_TENANT", "public") + "/" + setting("PULSAR_NAMESPACE", "default")
	topic := "persistent://" + namespace + "/" + topicName

	consumer, err := client.Subscribe(pulsar.ConsumerOptions{
		Topic:            topic,
		SubscriptionName: subscription,
		Type:             pulsar.Failover,
		// the client's default is the end of the topic, which would skip waiting messages
		SubscriptionInitialPosition: pulsar.SubscriptionPositionEarliest,
	})
	if err != nil {
		client.Close()
		return nil, nil, err
	}

	return consumer, func() {
		consumer.Close()
		client.Close()
	}, nil
}

func setting(name, otherwise string) string {
	if value := os.Getenv(name); value != "" {
		return value
	}

	return otherwise
}
