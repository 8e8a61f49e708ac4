package faults_test

import (
	"context"
	"encoding/json"
	"testing"

	"tributary/e2e/stacktest"
)

// accepts sends commands of one user; the id is the idempotency key.
func accepts(t *testing.T, workers int, token string) *client {
	t.Helper()

	return run(t, workers, func(ctx context.Context, id string) (stacktest.Answer, error) {
		return stacktest.Send(ctx, stacktest.Request{
			URL:    stack.BFF + "/api/v1/campaigns/camp123/accept",
			Body:   `{"accepted_terms": true}`,
			Token:  token,
			Header: map[string]string{"Idempotency-Key": id},
		})
	})
}

//nolint:paralleltest // it kills a service that all tests share
func TestBFFKilled(t *testing.T) {
	user := stacktest.Unique("user")
	load := accepts(t, 4, stack.Token(t, user))
	load.goesOn(t, 200)
	stop(t, stack.Parts.Kill, "bff")
	start(t, "bff")
	load.goesOn(t, 200)
	published(t, user, load)
}

// Ten thousand commands while the broker is killed three times.
//
//nolint:paralleltest // it kills the broker that all tests share
func TestBrokerKilledThriceUnderCommands(t *testing.T) {
	user := stacktest.Unique("user")

	load := accepts(t, 32, stack.Token(t, user))
	for range 3 {
		load.goesOn(t, 2500)
		stop(t, stack.Parts.Kill, "pulsar")
		start(t, "pulsar")
	}

	load.goesOn(t, 2500)
	published(t, user, load)

	if n := len(load.acknowledged); n < 10_000 {
		t.Errorf("only %d commands were acknowledged, want 10,000", n)
	}
}

// published stops the client and checks that every acknowledged command is in the topic, and that a
// consumer which acts on a command id once acts once for each: a retry is the same command, however
// often it was published.
func published(t *testing.T, user string, load *client) {
	t.Helper()
	load.stopped()

	commands, messages := map[string]string{}, 0 // command id by idempotency key
	for _, m := range stack.Messages(t, stacktest.CampaignAccepts) {
		if m.Key != user {
			continue
		}

		var command struct {
			CommandID      string `json:"command_id"`
			IdempotencyKey string `json:"idempotency_key"`
		}
		if err := json.Unmarshal([]byte(m.Payload), &command); err != nil {
			t.Fatal(err)
		}

		messages++

		if known, ok := commands[command.IdempotencyKey]; ok && known != command.CommandID {
			t.Errorf(
				"key %s became two commands, %s and %s",
				command.IdempotencyKey,
				known,
				command.CommandID,
			)
		}

		commands[command.IdempotencyKey] = command.CommandID
	}

	for key, answer := range load.acknowledged {
		var receipt struct {
			CommandID string `json:"command_id"`
		}
		answer.JSON(t, &receipt)

		if commands[key] != receipt.CommandID {
			t.Errorf(
				"acknowledged command %s is not in the topic (there is %q)",
				receipt.CommandID,
				commands[key],
			)
		}
	}

	if len(commands) != len(load.acknowledged) {
		t.Errorf(
			"%d commands are in the topic for %d requests that were repeated until they were acknowledged",
			len(commands),
			len(load.acknowledged),
		)
	}

	t.Logf(
		"%d commands acknowledged, all published, in %d messages; refused on the way, by status: %v",
		len(load.acknowledged),
		messages,
		load.refusals(),
	)
}
