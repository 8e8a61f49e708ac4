package service_test

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"tributary/platform/auth"
	"tributary/platform/broker"
	"tributary/platform/config"
	"tributary/platform/service"
)

// settings are those of a service that needs neither token nor a broker that answers.
type settings struct{ production bool }

func (s *settings) Frame() service.Settings {
	mode := "development"
	if s.production {
		mode = "production"
	}

	return service.Settings{
		Service:      config.Service{AppEnv: mode, LogLevel: "error"},
		Address:      "127.0.0.1:0",
		Auth:         auth.Optional{},
		Broker:       broker.Config{ServiceURL: "pulsar://127.0.0.1:1", Tenant: "public", Namespace: "default"},
		RateVariable: "RATE_LIMIT",
		RateWindow:   time.Minute,
	}
}

func (s *settings) Validate() []string { return s.Frame().Validate() }

func program(build func(context.Context, *service.Frame) (service.Routes, error)) service.Program {
	return service.Program{
		About:    service.About{Name: "example", Title: "Example", HealthPath: "/health"},
		Settings: &settings{},
		Routes:   func(huma.API) {},
		Build:    build,
	}
}

// What was added last, and with it the server, stops first.
func TestPartsStopInReverseOrder(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())

	var (
		mu      sync.Mutex
		stopped []string
		started sync.WaitGroup
	)
	part := func(name string) func(context.Context) error {
		started.Add(1)

		return func(ctx context.Context) error {
			started.Done()
			<-ctx.Done()
			mu.Lock()
			defer mu.Unlock()
			stopped = append(stopped, name)

			return nil
		}
	}

	go func() { started.Wait(); cancel() }()

	err := service.Run(ctx, nil, program(func(_ context.Context, f *service.Frame) (service.Routes, error) {
		f.Part("first", part("first"))
		f.Part("second", part("second"))

		return func(huma.API) {}, nil
	}))
	if err != nil || !slices.Equal(stopped, []string{"second", "first"}) {
		t.Errorf("Run = %v, stopped %v", err, stopped)
	}
}

func TestAServiceThatCannotBeBuiltDoesNotStart(t *testing.T) {
	t.Parallel()
	broken := errors.New("no schema")

	err := service.Run(t.Context(), nil, program(func(context.Context, *service.Frame) (service.Routes, error) {
		return nil, broken
	}))
	if !errors.Is(err, broken) {
		t.Errorf("Run = %v", err)
	}
}

// Production refuses every insecure setting of the frame in one list.
func TestProductionRefusesInsecureSettings(t *testing.T) {
	t.Parallel()

	p := program(nil)
	p.Settings = &settings{production: true}

	err := service.Run(t.Context(), nil, p)
	if err == nil {
		t.Fatal("started")
	}

	for _, name := range []string{"AUTH_REQUIRED", "METRICS_ADDR", "PULSAR_SERVICE_URL", "PULSAR_TOKEN", "RATE_LIMIT"} {
		if strings.Count(err.Error(), "- "+name) != 1 {
			t.Errorf("%s is not refused once: %v", name, err)
		}
	}
}

func TestTheDocumentNeedsNoSettings(t *testing.T) {
	t.Parallel()

	p := program(nil)
	p.Settings = nil

	var document bytes.Buffer
	if err := p.WriteDocument(&document); err != nil || !strings.Contains(document.String(), `"Example"`) {
		t.Errorf("%v: %s", err, &document)
	}
}
