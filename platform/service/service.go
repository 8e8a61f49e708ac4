// Package service is the frame of every service's program: settings, logger, metrics, traces,
// broker, tokens, HTTP, and the order in which all of them stop. A service adds what is its own by
// Program.Build.
package service

import (
	"context"
	"io"
	"log/slog"
	"os"

	"github.com/danielgtaylor/huma/v2"

	"tributary/platform/config"
	"tributary/platform/httpapi"
	"tributary/platform/process"
	"tributary/platform/telemetry"
)

// Program is the program of a service.
type Program struct {
	About    About
	Settings Configuration // read from the environment before Build is called
	// Routes registers the operations without their dependencies, for the OpenAPI document.
	Routes Routes
	// Build adds the service's own parts to the frame, and returns a function that registers the
	// operations with their dependencies. The frame then runs all of it.
	Build func(context.Context, *Frame) (Routes, error)
	// MemoryBound is the bytes near which the garbage collector works as often as it must; 0 keeps
	// the bound of package process.
	MemoryBound int64
}

// Routes registers the operations of a service.
type Routes func(huma.API)

// Configuration is a service's own settings, and the part of them that the frame needs.
type Configuration interface {
	config.Settings
	Frame() Settings
}

// Run runs the program until ctx ends or one of its parts fails. With the argument healthcheck it
// probes a running one instead, and with openapi it prints the OpenAPI document.
func Run(ctx context.Context, args []string, p Program) error {
	if len(args) > 0 && args[0] == "openapi" {
		return p.WriteDocument(os.Stdout) //nolint:contextcheck // it serves no request
	}

	if err := config.Load(p.Settings); err != nil {
		return err
	}

	s := p.Settings.Frame()
	if len(args) > 0 && args[0] == "healthcheck" {
		return httpapi.Probe(ctx, s.Address, p.About.HealthPath)
	}

	if p.MemoryBound > 0 {
		process.LimitMemory(p.MemoryBound)
	}

	f := &Frame{
		Logger:   telemetry.Logger(os.Stderr, p.About.Name, s.LogLevel),
		Metrics:  telemetry.Metrics(),
		Trace:    s.OTLPEndpoint != "",
		about:    p.About,
		settings: s,
	}

	flushTraces, err := telemetry.Tracing(ctx, p.About.Name, s.OTLPEndpoint, f.Logger)
	if err != nil {
		return err
	}

	defer func() { _ = flushTraces(context.WithoutCancel(ctx)) }()

	if err := f.connect(ctx); err != nil {
		return err
	}

	routes, err := p.Build(ctx, f)
	if err != nil {
		return err
	}

	f.serve(routes) //nolint:contextcheck // the context of a request is inside of huma.Context

	return process.Run(ctx, f.Logger, f.all()...)
}

// WriteDocument writes the OpenAPI document of the routes. It needs neither settings nor a broker.
func (p Program) WriteDocument(w io.Writer) error {
	api := p.About.API(HTTP{
		Logger:  slog.New(slog.DiscardHandler),
		Metrics: telemetry.Metrics(),
		Health:  httpapi.NewHealth(p.About.Name),
	})
	p.Routes(api.Huma)

	return api.WriteDocument(w)
}
