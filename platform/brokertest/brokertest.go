// Package brokertest creates a namespace on a real broker for each test.
package brokertest

import (
	"context"
	"log/slog"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"

	"tributary/platform/broker"
)

// Namespace creates a namespace as planned and removes it at the end of the test. It requires
// TEST_PULSAR_URL and TEST_PULSAR_ADMIN_URL and fails the test without them.
func Namespace(tb testing.TB, plan broker.Plan) broker.Config {
	tb.Helper()

	service, adminURL := os.Getenv("TEST_PULSAR_URL"), os.Getenv("TEST_PULSAR_ADMIN_URL")
	if service == "" || adminURL == "" {
		tb.Fatal(
			"TEST_PULSAR_URL or TEST_PULSAR_ADMIN_URL is not set: run `make test`, or `go run " +
				"./devstack/cmd/stack exec -- go test ./...`",
		)
	}

	cfg := broker.Config{
		ServiceURL: service,
		Tenant:     "public",
		Namespace:  "test-" + strings.ReplaceAll(uuid.NewString(), "-", "")[:16],
	}

	admin, err := broker.NewAdmin(cfg, adminURL)
	if err != nil {
		tb.Fatal(err)
	}

	apply(tb, admin, plan)
	tb.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(tb.Context()), 30*time.Second)
		defer cancel()

		if err := NewAdmin(tb, cfg).removeNamespace(ctx); err != nil {
			tb.Logf("namespace %s is left behind: %v", cfg.Namespace, err)
		}
	})

	return cfg
}

// apply retries for some seconds: right after creating the namespace or a topic the broker may not
// know it yet, as in cmd/provision.
func apply(tb testing.TB, admin *broker.Admin, plan broker.Plan) {
	tb.Helper()

	tick := time.NewTicker(250 * time.Millisecond)
	defer tick.Stop()

	for attempt := 1; ; attempt++ {
		_, err := admin.Apply(tb.Context(), plan)
		if err == nil {
			return
		}

		if attempt == 40 {
			tb.Fatalf("set the namespace up: %v", err)
		}

		<-tick.C
	}
}

// Client returns a client of the broker. It is closed at the end of the test.
func Client(tb testing.TB, cfg broker.Config) *broker.Client {
	tb.Helper()

	client, err := broker.Dial(cfg, slog.New(slog.DiscardHandler), prometheus.NewRegistry())
	if err != nil {
		tb.Fatal(err)
	}

	tb.Cleanup(client.Close)

	return client
}

// Run runs a publisher or consumer in the background. It stops at the end of the test, or when the
// returned function is called.
func Run(tb testing.TB, run func(context.Context) error) (stop func()) {
	tb.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(tb.Context()))

	done := make(chan error, 1)
	go func() { done <- run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()

		if err := <-done; err != nil {
			tb.Errorf("Run: %v", err)
		}
	})
	tb.Cleanup(stop)

	return stop
}
