// Package broker wraps the Apache Pulsar client. Publishers reconnect after an outage and report
// the outcome of each message; consumers hand over batches and acknowledge only handled messages.
// The package knows no topic by name.
package broker

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/apache/pulsar-client-go/pulsar"
	"github.com/apache/pulsar-client-go/pulsar/backoff"
	plog "github.com/apache/pulsar-client-go/pulsar/log"
	"github.com/prometheus/client_golang/prometheus"
)

// Config is how to reach the broker.
type Config struct {
	// ServiceURL is the broker, such as pulsar+ssl://broker.example.com:6651; the local stacks run
	// their own. Production: must be pulsar+ssl://.
	ServiceURL string `envconfig:"PULSAR_SERVICE_URL" default:"pulsar://localhost:6650"`
	// Token authenticates the service at the broker; empty for no authentication.
	Token string `envconfig:"PULSAR_TOKEN"`
	// Tenant is the tenant of all topics.
	Tenant string `envconfig:"PULSAR_TENANT" default:"public"`
	// Namespace is the namespace of all topics.
	Namespace string `envconfig:"PULSAR_NAMESPACE" default:"default"`
	// TrustFile is a PEM file with the certificates of a private authority; empty for the system's.
	TrustFile string `envconfig:"PULSAR_TLS_TRUST_CERTS_FILE"`
}

// Topic returns the full name of a topic in the configured tenant and namespace. A full name is
// returned unchanged.
func (c Config) Topic(name string) string {
	if strings.Contains(name, "://") {
		return name
	}

	return "persistent://" + c.Tenant + "/" + c.Namespace + "/" + name
}

// Plaintext reports whether messages and the token are sent unencrypted.
func (c Config) Plaintext() bool { return !strings.HasPrefix(c.ServiceURL, "pulsar+ssl://") }

// Validate returns a message for each invalid setting.
func (c Config) Validate() []string {
	var faults []string

	u, err := url.Parse(c.ServiceURL)
	if err != nil || (u.Scheme != "pulsar" && u.Scheme != "pulsar+ssl") || u.Host == "" {
		faults = append(
			faults,
			"PULSAR_SERVICE_URL must look like pulsar://host:6650 or pulsar+ssl://host:6651",
		)
	}

	if c.Tenant == "" || c.Namespace == "" {
		faults = append(faults, "PULSAR_TENANT and PULSAR_NAMESPACE must not be empty")
	}

	return faults
}

// ProductionFaults returns a message for each setting that production refuses: messages hold
// personal data.
func (c Config) ProductionFaults() []string {
	var faults []string
	if c.Plaintext() {
		faults = append(
			faults,
			"PULSAR_SERVICE_URL must be pulsar+ssl:// in production: messages hold personal data",
		)
	}

	if strings.TrimSpace(c.Token) == "" {
		faults = append(
			faults,
			"PULSAR_TOKEN must be set in production: without a token anyone can read and write",
		)
	}

	return faults
}

const (
	connectTimeout   = 5 * time.Second
	operationTimeout = 5 * time.Second
	keepAlive        = 10 * time.Second
	// Between attempts to reconnect. The client's own backoff grows to a minute.
	maxBackoff   = time.Second
	closeTimeout = 5 * time.Second
	memoryLimit  = 64 << 20 // bytes of messages that wait to be sent
)

// Client is one connection pool to the broker, shared by publishers and consumers. Consumers with
// ConsumerConfig.Unreadable have one of their own.
type Client struct {
	pulsar  pulsar.Client
	dial    func(log slog.Handler) (pulsar.Client, error)
	hosts   []string
	logger  *slog.Logger
	metrics metrics
	// Calls of the client library that take no context and may outlive their caller.
	calls sync.WaitGroup
}

// Dial returns a client. It does not wait for the broker: publishers and consumers connect in the
// background and retry until they succeed.
func Dial(c Config, logger *slog.Logger, registry prometheus.Registerer) (*Client, error) {
	u, err := url.Parse(c.ServiceURL)
	if err != nil {
		return nil, fmt.Errorf("PULSAR_SERVICE_URL: %w", err)
	}

	options := pulsar.ClientOptions{
		URL:                   c.ServiceURL,
		ConnectionTimeout:     connectTimeout,
		OperationTimeout:      operationTimeout,
		KeepAliveInterval:     keepAlive,
		TLSMinVersion:         tls.VersionTLS12,
		TLSValidateHostname:   true,
		TLSTrustCertsFilePath: c.TrustFile,
		MemoryLimitBytes:      memoryLimit,
		MetricsRegisterer:     registry,
	}
	if c.Token != "" {
		options.Authentication = pulsar.NewAuthenticationToken(c.Token)
	}

	dial := func(log slog.Handler) (pulsar.Client, error) {
		own := options
		own.Logger = plog.NewLoggerWithSlog(slog.New(log))

		return pulsar.NewClient(own)
	}

	client, err := dial(newQuiet(logger.Handler()))
	if err != nil {
		return nil, fmt.Errorf("pulsar client: %w", err)
	}

	m, err := newMetrics(registry)
	if err != nil {
		client.Close()
		return nil, fmt.Errorf("broker metrics: %w", err)
	}

	return &Client{
		pulsar:  client,
		dial:    dial,
		hosts:   strings.Split(u.Host, ","),
		logger:  logger,
		metrics: m,
	}, nil
}

// Ping returns nil if a broker accepts connections. It is a readiness probe.
func (c *Client) Ping(ctx context.Context) error {
	var (
		d    net.Dialer
		last error
	)
	for _, host := range c.hosts {
		conn, err := d.DialContext(ctx, "tcp", host)
		if err == nil {
			return conn.Close()
		}

		last = err
	}

	return last
}

// Close closes every connection. Publishers and consumers must have stopped. Close waits a few
// seconds for pending calls of the client library.
func (c *Client) Close() {
	if !within(closeTimeout, c.calls.Wait) {
		c.logger.Warn(
			"calls of the broker's client do not end; closing its connections anyway",
		)
	}

	c.pulsar.Close()
}

// create calls a constructor of the client library, which takes no context, and stops waiting when
// ctx ends. A result that comes later is discarded; Close waits for it.
func create[T any](
	ctx context.Context,
	c *Client,
	construct func() (T, error),
	discard func(T),
) (T, error) {
	type result struct {
		made T
		err  error
	}

	var none T
	results := make(chan result)
	c.calls.Go(func() {
		made, err := construct()
		select {
		case results <- result{made, err}:
		case <-ctx.Done():
			if err == nil {
				discard(made)
			}
		}
	})

	select {
	case r := <-results:
		return r.made, r.err
	case <-ctx.Done():
		return none, ctx.Err()
	}
}

// within runs f and reports whether it ended in time. If not, f continues in the background.
func within(limit time.Duration, f func()) bool {
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()

	timer := time.NewTimer(limit)
	defer timer.Stop()

	select {
	case <-done:
		return true
	case <-timer.C:
		return false
	}
}

// capped returns the client's backoff with a lower bound: the service reconnects within about a
// second.
func capped() backoff.Policy { return &cappedBackoff{} }

type cappedBackoff struct{ next time.Duration }

func (b *cappedBackoff) Next() time.Duration {
	b.next = min(max(2*b.next, 100*time.Millisecond), maxBackoff)
	return b.next
}

func (b *cappedBackoff) IsMaxBackoffReached() bool { return b.next >= maxBackoff }

func (b *cappedBackoff) Reset() { b.next = 0 }

// wait sleeps for d or until ctx ends. It reports whether ctx is still active.
func wait(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()

	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
