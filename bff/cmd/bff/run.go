package main

import (
	"context"
	"net"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"tributary/bff/internal/api/rest"
	"tributary/bff/internal/application/command"
	"tributary/bff/internal/application/query"
	"tributary/bff/internal/infrastructure/commission"
	"tributary/bff/internal/infrastructure/pulsar"
	"tributary/platform/ids"
	"tributary/platform/sealed"
	"tributary/platform/service"
)

const (
	memoryBound = 80 << 20 // it keeps little, and has no batches to work on
	readTimeout = 2 * time.Second
	maxReads    = 128 // concurrent calls to the commission service
)

func run(ctx context.Context, args []string) error {
	return service.Run(ctx, args, program(new(settings)))
}

func program(s *settings) service.Program {
	return service.Program{
		About:       about(),
		Settings:    s,
		MemoryBound: memoryBound,
		Routes:      func(api huma.API) { rest.Register(api, rest.UseCases{}) },
		Build: func(_ context.Context, f *service.Frame) (service.Routes, error) {
			return build(f, s)
		},
	}
}

func about() service.About {
	return service.About{
		Name:       "bff",
		Title:      "Tributary BFF",
		HealthPath: "/health",
		Description: "Accepts commands of front ends and publishes them to Apache Pulsar. Every " +
			"command is answered with 202 once the broker has stored it.",
		Tags: rest.Tags(),
	}
}

// build adds the parts of the service.
func build(f *service.Frame, s *settings) (service.Routes, error) {
	ring, err := sealed.Load(s.Sealed)
	if err != nil {
		return nil, err
	}

	publisher, err := pulsar.New(f.Broker, s.Broker, ring)
	if err != nil {
		return nil, err
	}

	for _, part := range publisher.Parts() {
		f.Part(part.Name, part.Run)
	}

	f.Need("broker", f.Broker.Ping)
	f.Need("topics", publisher.Ready)

	stamper := command.NewStamper(ids.New("bff:command"), ring.Hash, f.Now)

	return func(api huma.API) {
		rest.Register(api, rest.UseCases{
			Submit: command.NewSubmitter(stamper, publisher),
			Read: query.New(commission.New(commission.Config{
				URL:           s.CommissionURL,
				Timeout:       readTimeout,
				MaxConcurrent: maxReads,
				Transport:     transport(),
				Now:           f.Now,
			})),
		})
	}, nil
}

// transport returns a transport that keeps as many connections to the commission service as there
// may be calls.
func transport() http.RoundTripper {
	t := &http.Transport{
		MaxIdleConns:        maxReads,
		MaxIdleConnsPerHost: maxReads,
		IdleConnTimeout:     90 * time.Second,
		TLSHandshakeTimeout: readTimeout,
	}
	t.DialContext = (&net.Dialer{Timeout: readTimeout}).DialContext

	return t
}
