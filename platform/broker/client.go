// Package broker wraps the Apache Pulsar client: publishers that find their way back after an
// outage and say what became of each message, and consumers that hand over batches and acknowledge
// only what was handled. It knows no topic by name.
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
	// one of their own. Production: must be pulsar+ssl://.
	ServiceURL string `envconfig:"PULSAR_SERVICE_URL" default:"pulsar://localhost:6650"`
	// Token authenticates the service at the broker; empty for none.
	Token string `envconfig:"PULSAR_TOKEN"`
	// Tenant is the tenant of all topics.
	Tenant string `envconfig:"PULSAR_TENANT" default:"public"`
	// Namespace is the namespace of all topics.
	Namespace string `envconfig:"PULSAR_NAMESPACE" default:"default"`
	// TrustFile is a PEM file with the certificates of a private authority; empty for the system's.
	TrustFile string `envconfig:"PULSAR_TLS_TRUST_CERTS_FILE"`
}

// Topic is the full name of a topic in the configured tenant and namespace. A full name stays as it
// is.
func (c Config) Topic(name string) string {
	if strings.Contains(name, "://") {
		return name
	}

	return "persistent://" + c.Tenant + "/" + c.Namespace + "/" + name
}

// Plaintext tells whether messages and the token travel unencrypted.
func (c Config) Plaintext() bool { return !strings.HasPrefix(c.ServiceURL, "pulsar+ssl://") }

// Validate tells what is wrong with the settings.
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

// ProductionFaults returns what production refuses about the settings: messages hold personal data.
func (c Config) ProductionFaults() []string {
	var faults []string
	if c.Plaintext() {
		faults = append(
			faults,
			"PULSAR_SERVICE_URL must be pulsar+ssl:// in production: messages hold personal data",
		)
	}

	if c.Token == "" {
		faults = append(
			faults,
			"PULSAR_TOKEN must be set in production: without one anybody can read and write",
		)
	}

	return faults
}

const (
	connectTimeout   = 5 * time.Second
	operationTimeout = 5 * time.Second
	keepAlive        = 10 * time.Second
	// between attempts to reconnect; the client's own grows to a minute
	maxBackoff   = time.Second
	closeTimeout = 5 * time.Second
	memoryLimit  = 64 << 20 // bytes of messages that wait to be sent
)

// Client is one connection pool to the broker, shared by publishers and consumers.
type Client struct {
	pulsar  pulsar.Client
	hosts   []string
	logger  *slog.Logger
	metrics metrics
	// calls of the client library that take no context and may outlive who made them
	calls sync.WaitGroup
}

// Dial makes a client. It does not wait for the broker: publishers and consumers connect in the
// background, as often as it takes.
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
		Logger:                plog.NewLoggerWithSlog(slog.New(newQuiet(logger.Handler()))),
		MetricsRegisterer:     registry,
	}
	if c.Token != "" {
		options.Authentication = pulsar.NewAuthenticationToken(c.Token)
	}

	client, err := pulsar.NewClient(options)
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
		hosts:   strings.Split(u.Host, ","),
		logger:  logger,
		metrics: m,
	}, nil
}

// Ping tells whether a broker accepts connections; it is a readiness probe.
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

// Close ends every connection. Publishers and consumers have stopped before; what the client
// library still does for them is waited for, some seconds at most.
func (c *Client) Close() {
	if !within(closeTimeout, c.calls.Wait) {
		c.logger.Warn(
			"the broker's client has calls that do not end; its connections are closed all the same",
		)
	}

	c.pulsar.Close()
}

// create calls a constructor of the client library, which takes no context, and gives up waiting
// when ctx ends: what is made too late is discarded. Close waits for that.
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

// within runs f and tells whether it ended in time; if not, it is left behind.
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

// capped is the client's backoff with a bound that suits a service: it is back within about a
// second.
func capped() backoff.Policy { return &cappedBackoff{} }

type cappedBackoff struct{ next time.Duration }

func (b *cappedBackoff) Next() time.Duration {
	b.next = min(max(2*b.next, 100*time.Millisecond), maxBackoff)
	return b.next
}

func (b *cappedBackoff) IsMaxBackoffReached() bool { return b.next >= maxBackoff }

func (b *cappedBackoff) Reset() { b.next = 0 }

// wait sleeps for d or until ctx ends; it tells whether ctx goes on.
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
