// Package httpapi is the HTTP side of every service: chi and huma with one set-up, problem
// documents, strict bodies, request ids, access log, metrics, health and documentation. It knows no
// business rules.
package httpapi

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"reflect"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humachi"
	"github.com/go-chi/chi/v5"
	"github.com/go-json-experiment/json"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"tributary/platform/docsui"
	"tributary/platform/strictjson"
)

// Config configures the HTTP side of a service.
type Config struct {
	Service     string // the name in logs and metrics
	Title       string
	Description string
	Version     string
	HealthPath  string // the health route
	Tags        []*huma.Tag
	Health      *Health
	Logger      *slog.Logger
	Metrics     *prometheus.Registry
	Now         func() time.Time
	// MetricsApart leaves /metrics to the address that Server.Parts is given.
	MetricsApart bool
	// Caller returns the user of a request's token, "" without one; nil where there are no tokens.
	Caller func(context.Context) string
	// CursorSecret seals the cursors of lists. All replicas have the same.
	CursorSecret string
	// Middleware runs on every operation before its body is read: authentication, rate limits.
	Middleware []func(ctx huma.Context, next func(huma.Context))
	// Open documents the operations as requiring no token: authentication is off.
	Open bool
}

// API is the HTTP side of a service. Operations are registered on Huma; other handlers on Router.
type API struct {
	Router chi.Router
	Huma   huma.API
}

// New returns the router with everything that all services share. The service then registers its
// operations on API.Huma.
func New(cfg Config) *API {
	installErrors()
	router := chi.NewMux()
	router.Use(outer(cfg, newCursors(cfg.Service, cfg.CursorSecret)))
	router.NotFound(notFound)
	router.MethodNotAllowed(methodNotAllowed(router))

	api := humachi.New(router, humaConfig(cfg))
	api.UseMiddleware(cfg.Middleware...)
	api.UseMiddleware(single, checkEmpty, newBodies().check)

	router.Get("/livez", cfg.Health.live)
	router.Get(readyPath, cfg.Health.ready)
	router.Get(cfg.HealthPath, cfg.Health.serving)

	if !cfg.MetricsApart {
		router.Method(http.MethodGet, "/metrics", metrics(cfg.Metrics))
	}

	docs := docsui.Handler(cfg.Title, "/openapi.json", errorPages(), notFound)
	for _, path := range []string{"/docs", "/docs/*"} {
		router.Method(http.MethodGet, path, docs)
		router.Method(http.MethodHead, path, docs)
	}

	return &API{Router: router, Huma: api}
}

func metrics(registry *prometheus.Registry) http.Handler {
	return promhttp.HandlerFor(registry, promhttp.HandlerOpts{})
}

func humaConfig(cfg Config) huma.Config {
	c := huma.DefaultConfig(cfg.Title, cfg.Version)
	c.Info.Description = cfg.Description
	c.DocsPath, c.SchemasPath = "", ""
	c.CreateHooks = nil
	c.RejectUnknownQueryParameters = true
	c.Formats = map[string]huma.Format{"application/json": format(), "json": format()}
	c.Info.License = &huma.License{Name: "Apache License 2.0", Identifier: "Apache-2.0"}
	c.Servers = []*huma.Server{{URL: "/", Description: "The service that serves this document."}}
	c.Tags = cfg.Tags
	c.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		"bearer": {
			Type:         "http",
			Scheme:       "bearer",
			BearerFormat: "JWT",
			Description:  "A JSON Web Token. On the local stack `make -s token` prints one.",
		},
	}

	list := documented()
	problem := c.Components.Schemas.Schema(reflect.TypeFor[Problem](), true, "")
	c.Components.Schemas.SchemaFromRef(problem.Ref).Properties["code"].Enum = names(list)
	c.Extensions = map[string]any{"x-error-codes": list, "x-field-codes": documentedFields()}
	c.Components.Responses = map[string]*huma.Response{}
	c.Components.Headers = headers()
	c.OnAddOperation = []huma.AddOpFunc{describer{codes: list, open: cfg.Open}.operation}

	return c
}

// errorPages returns the entries of /docs/errors, to which the type of every problem refers.
func errorPages() []docsui.Error {
	var list []docsui.Error
	for _, c := range documented() {
		list = append(list, docsui.Error{Code: c.Code, Status: c.Status, Meaning: c.Meaning})
	}

	return list
}

// format reads and writes JSON with package strictjson, in place of huma's encoding/json v1.
func format() huma.Format {
	return huma.Format{
		Marshal: func(w io.Writer, v any) error {
			return json.MarshalWrite(w, v)
		},
		Unmarshal: strictjson.Unmarshal,
	}
}
