// Package brokertest gives each test a namespace of its own on a real broker.
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

// Namespace makes a namespace set up by the plan, which goes with the test. It needs TEST_PULSAR_URL and TEST_PULSAR_ADMIN_URL and
// fails the test without them.
func Namespace(t testing.TB, plan broker.Plan) broker.Config {
	t.Helper()
	service, adminURL := os.Getenv("TEST_PULSAR_URL"), os.Getenv("TEST_PULSAR_ADMIN_URL")
	if service == "" || adminURL == "" {
		t.Fatal("TEST_PULSAR_URL or TEST_PULSAR_ADMIN_URL is not set: run `make test`, or `go run ./devstack/cmd/stack exec -- go test ./...`")
	}
	cfg := broker.Config{ServiceURL: service, Tenant: "public", Namespace: "test-" + strings.ReplaceAll(uuid.NewString(), "-", "")[:16]}
	admin, err := broker.NewAdmin(cfg, adminURL)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := admin.Apply(t.Context(), plan); err != nil {
		t.Fatalf("set up %s: %v", cfg.Namespace, err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), 30*time.Second)
		defer cancel()
		if err := admin.RemoveNamespace(ctx); err != nil {
			t.Logf("namespace %s is left behind: %v", cfg.Namespace, err)
		}
	})
	return cfg
}

// Client connects to the broker for as long as the test runs.
func Client(t testing.TB, cfg broker.Config) *broker.Client {
	t.Helper()
	client, err := broker.Dial(cfg, slog.New(slog.DiscardHandler), prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}

// Run runs a publisher or consumer in the background and stops it at the end of the test, or earlier by the returned function.
func Run(t testing.TB, run func(context.Context) error) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	done := make(chan error, 1)
	go func() { done <- run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	t.Cleanup(stop)
	return stop
}
