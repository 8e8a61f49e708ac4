package broker_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tributary/platform/broker"
)

// A refusal is reported with the topic, the right and what to do, and without the broker's text,
// which names the token's subject.
func TestARefusalSaysWhatToGrant(t *testing.T) {
	t.Parallel()

	const topic = "persistent://t/n/things"

	for text, want := range map[string]string{
		"server error: AuthorizationError: client mallory may not": "grant the role of PULSAR_TOKEN the right to ",
		"AuthorizationError": "grant the role of PULSAR_TOKEN the right to ",
		"server error: AuthenticationError: mallory's token is old": "PULSAR_TOKEN is missing, expired",
		"server error: TopicNotFound: no topic for mallory":         "create the topic",
	} {
		synctest.Test(t, func(t *testing.T) {
			client := broker.WithLibrary(&library{refused: errors.New(text)})
			p := client.NewPublisher(broker.PublisherConfig{Topic: topic})
			c := client.NewConsumer(broker.ConsumerConfig{Topic: topic, Subscription: "s"})
			stopPublisher := running(t, p.Run)
			stopConsumer := running(t, func(ctx context.Context) error {
				return c.Run(ctx, func(context.Context, []broker.Received) error { return nil })
			})

			time.Sleep(3 * time.Second) // of the bubble

			for right, err := range map[string]error{"produce": p.Ready(), "consume": c.Ready()} {
				var refused *broker.RefusedError
				if !errors.As(err, &refused) {
					t.Errorf("%s: Ready = %v, want a refusal", text, err)
					continue
				}

				advice := refused.Advice()
				if !strings.Contains(advice, "let this service "+right+" on "+topic) ||
					!strings.Contains(advice, want) || !strings.Contains(advice, refused.Code) ||
					strings.Contains(advice, "mallory") {
					t.Errorf("%s: %s", text, advice)
				}
			}

			stopPublisher()
			stopConsumer()
		})
	}
}

func TestAnOutageIsNoRefusal(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		client := broker.WithLibrary(&library{refused: errors.New("connection error")})
		p := client.NewPublisher(broker.PublisherConfig{Topic: "t"})
		stop := running(t, p.Run)

		var refused *broker.RefusedError
		if err := p.Ready(); err == nil || errors.As(err, &refused) {
			t.Errorf("Ready = %v, want an error that is no refusal", err)
		}

		stop()
	})
}
