package httpapi

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/net/netutil"

	"tributary/platform/process"
)

// Server serves a handler on an address with every timeout set.
type Server struct {
	Addr    string
	Handler http.Handler
	Health  *Health
	Logger  *slog.Logger
	MaxOpen int   // connections that are served at once, idle ones included; 0 means 2048
	MaxIdle int64 // connections that may wait for their next request; 0 means 1024
}

// Parts returns the parts of a process that serve: the server and, where metricsAddr is not empty,
// one for /metrics alone.
func (s *Server) Parts(metricsAddr string, registry *prometheus.Registry) []process.Part {
	parts := []process.Part{{Name: "http", Run: s.Run}}
	if metricsAddr == "" {
		return parts
	}

	router := http.NewServeMux()
	router.Handle("GET /metrics", metrics(registry))

	apart := &Server{
		Addr:    metricsAddr,
		Handler: router,
		Health:  NewHealth("metrics"),
		Logger:  s.Logger,
	}

	return append([]process.Part{{Name: "metrics", Run: apart.Run}}, parts...)
}

// The server's limits. A request may take as long as the slowest honest dependency, and no slow
// client holds a connection permanently. The time for writing starts again with the answer.
const (
	readHeaderTimeout = 5 * time.Second
	readTimeout       = 15 * time.Second
	idleTimeout       = 120 * time.Second
	maxHeaderBytes    = 16 << 10
	drainTimeout      = 15 * time.Second
)

// Run listens and serves until ctx ends; then it switches readiness off and waits for the running
// requests. It returns nil after a clean stop and an error if it cannot listen on the address.
func (s *Server) Run(ctx context.Context) error {
	var lc net.ListenConfig

	listener, err := lc.Listen(ctx, "tcp", s.Addr)
	if err != nil {
		return fmt.Errorf(
			"listen on %s (is another process using it? set HTTP_ADDR or METRICS_ADDR to move): %w",
			s.Addr,
			err,
		)
	}

	stopping := make(chan struct{})
	// what comes beyond the bound waits in the kernel, where it takes no memory of ours
	bounded := netutil.LimitListener(listener, cmp.Or(s.MaxOpen, maxOpen))
	open := &connections{Listener: bounded, maxIdle: cmp.Or(s.MaxIdle, maxIdle)}
	server := &http.Server{
		Handler:           s.Handler,
		ReadHeaderTimeout: readHeaderTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		BaseContext: func(net.Listener) context.Context {
			//nolint:forbidigo // a request outlives the context that starts the server
			return context.WithValue(context.Background(), stoppingKey{}, stopping)
		},
		ConnContext: open.know,
		ConnState:   open.observe,
		ErrorLog:    slog.NewLogLogger(s.Logger.Handler(), slog.LevelDebug),
	}

	failed := make(chan error, 1)
	go func() { failed <- server.Serve(open) }()
	s.Logger.InfoContext(ctx, "listening", "address", listener.Addr().String())

	select {
	case err := <-failed:
		return fmt.Errorf("serve: %w", err)
	case <-ctx.Done():
	}

	s.Health.Drain()
	close(stopping)

	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTimeout)
	defer cancel()

	err = server.Shutdown(drain)
	if errors.Is(err, context.DeadlineExceeded) {
		err = server.Close()
	}

	if served := <-failed; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}

	return err
}

type stoppingKey struct{}

// Stopping returns a channel that is closed when the server begins to stop: a request that waits
// for something should answer then. It is nil outside of a Server.
func Stopping(ctx context.Context) <-chan struct{} {
	stopping, _ := ctx.Value(stoppingKey{}).(chan struct{})
	return stopping
}

// Probe requests path from the service at addr (as in HTTP_ADDR) and returns nil if it answers 200.
// It is the health check of images that contain only the service.
func Probe(ctx context.Context, addr, path string) error {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return fmt.Errorf("HTTP_ADDR: %w", err)
	}

	if host == "" {
		host = "127.0.0.1"
	}

	ctx, cancel := context.WithTimeout(ctx, probeTimeout*3)
	defer cancel()

	r, err := http.NewRequestWithContext(
		ctx,
		http.MethodGet,
		"http://"+net.JoinHostPort(host, port)+path,
		http.NoBody,
	)
	if err != nil {
		return err
	}

	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}

	defer func() { _ = answer.Body.Close() }()

	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %s", path, answer.Status)
	}

	return nil
}
