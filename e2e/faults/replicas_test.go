package faults_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"tributary/devstack"
	"tributary/e2e/stacktest"
)

// takeover is how soon another replica of tracking continues publishing when the relaying one is
// killed.
const takeover = 5 * time.Second

// Three replicas of tracking share a database. All of them take events, one of them relays. It is
// killed, and so is its successor: the next one goes on within seconds, with two replicas left as
// with one, and each acknowledged event is decided once.
//
//nolint:paralleltest // it kills a service that all tests share
func TestThreeReplicasOfTracking(t *testing.T) {
	parts, names := replicated(t, "tracking", 3)
	user := stacktest.Unique("user")

	var next atomic.Int64
	load := run(t, 6, func(ctx context.Context, id string) (stacktest.Answer, error) {
		// like a load balancer that does not notice failures
		return stacktest.Send(ctx, stacktest.Request{
			URL:  parts.URL(names[int(next.Add(1))%len(names)]) + "/api/v1/tracking/events",
			Body: `{"event_id": "` + id + `", "user_id": "` + user + `", "event_type": "purchase", "metadata": {"amount": 10.00}}`,
		})
	})
	load.goesOn(t, 300)

	for _, name := range names {
		if n, err := metric(t.Context(), parts, name, "tracking_commit_events_count"); err != nil ||
			n == 0 {
			t.Errorf("%s has committed %v times, %v", name, n, err)
		}
	}

	alive := slices.Clone(names)
	for len(alive) > 1 {
		relaying := theOneThatRelays(t, parts, alive)
		killed := time.Now()

		if err := parts.Kill(t.Context(), relaying); err != nil {
			t.Fatal(err)
		}

		alive = slices.DeleteFunc(alive, func(name string) bool { return name == relaying })
		before := position(t)
		stacktest.Await(
			t,
			takeover-time.Since(killed),
			"a successor to publish",
			func(context.Context) error {
				if now := position(t); now <= before { //nolint:contextcheck // it uses the test's
					return fmt.Errorf("the position stays at %d", now)
				}

				return nil
			},
		)
		t.Logf(
			"%s was killed; another replica of %d published after %s",
			relaying,
			len(alive),
			time.Since(killed).Round(time.Millisecond),
		)
		load.goesOn(t, 100)
	}

	for _, name := range names {
		started(t, parts, name) // running replicas are not restarted
	}

	load.goesOn(t, 100)
	theOneThatRelays(t, parts, names)
	checkDecided(t, user, load)
}

// position returns how far the broker has confirmed the log, as saved by the relay.
func position(t *testing.T) int64 {
	t.Helper()

	n, err := stacktest.Count(t.Context(), stack.TrackingDB, "SELECT pos FROM relay")
	if err != nil {
		t.Fatal(err)
	}

	return n
}

// theOneThatRelays waits until exactly one of the replicas reports that it relays.
func theOneThatRelays(t *testing.T, parts devstack.Config, names []string) (relaying string) {
	t.Helper()
	stacktest.Await(t, 10*time.Second, "one replica to relay", func(ctx context.Context) error {
		var leading []string
		for _, name := range names {
			n, err := metric(ctx, parts, name, "tracking_relay_leading")
			if err != nil {
				return err
			}

			if n == 1 {
				leading = append(leading, name)
			}
		}

		if len(leading) != 1 {
			return fmt.Errorf("%v say that they relay", leading)
		}

		relaying = leading[0]

		return nil
	})

	return relaying
}

// metric reads a metric without labels.
func metric(ctx context.Context, parts devstack.Config, process, name string) (float64, error) {
	answer, err := stacktest.Send(ctx, stacktest.Request{URL: parts.URL(process) + "/metrics"})
	if err != nil {
		return 0, err
	}

	for line := range strings.Lines(answer.Body) {
		if value, ok := strings.CutPrefix(line, name+" "); ok {
			return strconv.ParseFloat(strings.TrimSpace(value), 64)
		}
	}

	return 0, errors.New(process + " has no metric " + name)
}
