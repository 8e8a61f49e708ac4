package service

import (
	"log/slog"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/prometheus/client_golang/prometheus"

	"tributary/platform/auth"
	"tributary/platform/httpapi"
	"tributary/platform/version"
)

// About describes a service to its callers and to those who run it.
type About struct {
	Name        string // in logs, metrics and health
	Title       string
	Description string
	HealthPath  string
	Tags        []*huma.Tag
}

// HTTP holds the dependencies of the HTTP side. Without a Verifier every caller is admitted.
type HTTP struct {
	Logger       *slog.Logger
	Metrics      *prometheus.Registry
	Health       *httpapi.Health
	Verifier     *auth.Verifier
	Limits       auth.Limits
	Open         bool // no request needs a token
	MetricsApart bool
	CursorSecret string
}

// API returns the HTTP side of the service, without its operations.
func (a About) API(h HTTP) *httpapi.API {
	return httpapi.New(httpapi.Config{
		Service:      a.Name,
		Title:        a.Title,
		Version:      version.Number,
		HealthPath:   a.HealthPath,
		Description:  a.Description,
		Tags:         a.Tags,
		Open:         h.Open,
		Health:       h.Health,
		Logger:       h.Logger,
		Metrics:      h.Metrics,
		MetricsApart: h.MetricsApart,
		Now:          time.Now, //nolint:forbidigo // the frame of the program owns the clock
		Caller:       auth.User,
		CursorSecret: h.CursorSecret,
		Middleware: []func(huma.Context, func(huma.Context)){
			auth.Middleware(h.Verifier, h.Limits),
		},
	})
}
