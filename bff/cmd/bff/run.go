package main

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/prometheus/client_golang/prometheus"

	"tributary/bff/internal/api/rest"
	"tributary/bff/internal/application/acceptcampaign"
	"tributary/bff/internal/application/readown"
	"tributary/bff/internal/application/requestpayment"
	"tributary/bff/internal/application/submit"
	"tributary/bff/internal/application/uploadevidence"
	"tributary/bff/internal/infrastructure/commission"
	"tributary/bff/internal/infrastructure/pulsar"
	"tributary/platform/auth"
	"tributary/platform/broker"
	"tributary/platform/config"
	"tributary/platform/httpapi"
	"tributary/platform/ids"
	"tributary/platform/process"
	"tributary/platform/sealed"
	"tributary/platform/telemetry"
	"tributary/platform/version"
)

const (
	service    = "bff"
	healthPath = "/health"

	memoryBound = 80 << 20 // it keeps little, and has no batches to work on
	readTimeout = 2 * time.Second
	maxReads    = 128 // concurrent calls to the commission service
)

// run runs the whole service: settings, parts, and their order. With the argument healthcheck it
// probes a running one instead, and with openapi it prints the OpenAPI document.
func run(ctx context.Context, args []string) error {
	if len(args) > 0 && args[0] == "openapi" {
		//nolint:contextcheck // the context of a request is inside of huma.Context
		return writeOpenAPI(os.Stdout)
	}

	var s settings
	if err := config.Load(&s); err != nil {
		return err
	}

	if len(args) > 0 && args[0] == "healthcheck" {
		return httpapi.Probe(ctx, s.HTTPAddr, healthPath)
	}

	process.LimitMemory(memoryBound)

	logger := telemetry.Logger(os.Stderr, service, s.LogLevel)
	metrics := telemetry.Metrics()

	flushTraces, err := telemetry.Tracing(ctx, service, s.OTLPEndpoint, logger)
	if err != nil {
		return err
	}

	defer func() { _ = flushTraces(context.WithoutCancel(ctx)) }()

	verifier, err := auth.New(ctx, s.Auth, auth.Needs{Now: time.Now, Logger: logger})
	if err != nil {
		return err
	}

	ring, err := sealed.Load(s.Sealed)
	if err != nil {
		return err
	}

	client, err := broker.Dial(s.Broker, logger, metrics)
	if err != nil {
		return err
	}

	publisher, err := pulsar.New(client, s.Broker, ring)
	if err != nil {
		return err
	}

	health := httpapi.NewHealth(service,
		httpapi.Check{Name: "broker", Needed: true, Probe: client.Ping},
		httpapi.Check{Name: "topics", Needed: true, Probe: publisher.Ready},
		httpapi.Check{Name: "token_keys", Needed: true, Probe: verifier.Ready},
	)
	stamper := submit.NewStamper(ids.New("bff:command"), ring.Hash, time.Now)
	//nolint:contextcheck // the context of a request is inside of huma.Context
	api := newAPI(s, wiring{
		logger:   logger,
		metrics:  metrics,
		health:   health,
		verifier: verifier,
		uses: rest.UseCases{
			AcceptCampaign: acceptcampaign.New(stamper, publisher),
			UploadEvidence: uploadevidence.New(stamper, publisher),
			RequestPayment: requestpayment.New(stamper, publisher),
			ReadOwn: readown.New(commission.New(commission.Config{
				URL:           s.CommissionURL,
				Timeout:       readTimeout,
				MaxConcurrent: maxReads,
				Transport:     transport(),
				Now:           time.Now,
			})),
		},
	})
	server := &httpapi.Server{
		Addr:    s.HTTPAddr,
		Handler: httpapi.CORS(s.CORS.Origins, api.Router),
		Health:  health,
		Logger:  logger,
	}

	parts := append(
		[]process.Part{process.Closer("broker client", client.Close)},
		publisher.Parts()...)
	parts = append(parts, server.Parts(s.MetricsAddr, metrics)...)

	return process.Run(ctx, logger, parts...)
}

// wiring holds the dependencies of the HTTP side.
type wiring struct {
	logger   *slog.Logger
	metrics  *prometheus.Registry
	health   *httpapi.Health
	verifier *auth.Verifier
	uses     rest.UseCases
}

func newAPI(s settings, w wiring) *httpapi.API {
	limits := auth.NewLimits(s.RateLimit, s.RateWindow, time.Now)
	api := httpapi.New(httpapi.Config{
		Service:    service,
		Title:      "Tributary BFF",
		Version:    version.Number,
		HealthPath: healthPath,
		Description: "Accepts commands of front ends and publishes them to Apache Pulsar. Every " +
			"command is answered with 202 once the broker has stored it.",
		Codes:        rest.Codes(),
		Tags:         rest.Tags(),
		Health:       w.health,
		Logger:       w.logger,
		Metrics:      w.metrics,
		MetricsApart: s.MetricsAddr != "",
		Now:          time.Now,
		Caller:       auth.User,
		Middleware:   []func(huma.Context, func(huma.Context)){auth.Middleware(w.verifier, limits)},
	})
	rest.Register(api.Huma, w.uses)

	return api
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
