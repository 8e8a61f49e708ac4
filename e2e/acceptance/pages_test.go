package acceptance_test

import (
	"encoding/json"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"tributary/e2e/stacktest"
)

// service is one of the three services as its users see it.
type service struct {
	name, url, health string
	paths             []string // that the OpenAPI document must describe
	open              bool     // accepts requests without a token on this stack
}

func services() []service {
	return []service{
		{
			"bff",
			stack.BFF,
			"/health",
			[]string{
				"/api/v1/campaigns/{campaign_id}/accept",
				"/api/v1/evidence/upload",
				"/api/v1/payments/request",
			},
			false,
		},
		{
			"tracking",
			stack.Tracking,
			"/api/v1/tracking/health",
			[]string{"/api/v1/tracking/events", "/api/v1/tracking/events/{event_id}"},
			true,
		},
		{
			"commission",
			stack.Commission,
			"/api/v1/commission/health",
			[]string{
				"/api/v1/commission/commissions",
				"/api/v1/commission/commissions/{id}",
				"/api/v1/commission/decisions/{event_id}",
			},
			true,
		},
	}
}

func each(t *testing.T, test func(t *testing.T, s service)) {
	t.Helper()

	for _, s := range services() {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			test(t, s)
		})
	}
}

func TestHealth(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s service) {
		t.Helper()

		for path, want := range map[string]string{s.health: "ok", "/livez": "ok", "/readyz": "ready"} {
			var got struct{ Status, Service, Version string }

			answer := stacktest.Want(t, 200, stacktest.Request{URL: s.url + path}, &got)
			if got.Status != want || got.Service != s.name ||
				answer.Header.Get("X-Request-ID") == "" {
				t.Errorf(
					"%s = %s, want %s of %s, with X-Request-ID",
					path,
					answer.Body,
					want,
					s.name,
				)
			}

			if named := got.Version != ""; named != (path == "/livez") {
				t.Errorf("%s names version %q; only /livez names it", path, got.Version)
			}
		}
	})
}

func TestRequestIDIsHonoured(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s service) {
		t.Helper()
		id := stacktest.Unique("request")

		answer := stacktest.Do(
			t,
			stacktest.Request{URL: s.url + s.health, Header: map[string]string{"X-Request-ID": id}},
		)
		if got := answer.Header.Get("X-Request-ID"); got != id {
			t.Errorf("X-Request-ID = %q, want the %q that was sent", got, id)
		}
	})
}

func TestMetrics(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s service) {
		t.Helper()
		stacktest.Want(t, 200, stacktest.Request{URL: s.url + s.health}, nil)

		answer := stacktest.Want(t, 200, stacktest.Request{URL: s.url + "/metrics"}, nil)
		if !strings.Contains(answer.Body, "http_request_duration_seconds_count{") ||
			!strings.Contains(answer.Body, "go_goroutines ") {
			t.Error("/metrics lacks the request histogram or the runtime's metrics")
		}
	})
}

var (
	references = regexp.MustCompile(`(?:src|href)="([^"]+)"`)
	imports    = regexp.MustCompile(`(?:url\(|import |fetch\()["']?(https?:)?//`)
)

// The page must work without internet access: everything that it loads comes from the service
// itself.
func TestDocs(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s service) {
		t.Helper()

		page := stacktest.Want(t, 200, stacktest.Request{URL: s.url + "/docs"}, nil)
		if got := page.Header.Get("Content-Type"); !strings.HasPrefix(got, "text/html") {
			t.Fatalf("/docs has Content-Type %q", got)
		}

		if policy := page.Header.Get(
			"Content-Security-Policy",
		); !strings.Contains(policy, "default-src") || strings.Contains(policy, "http:") ||
			strings.Contains(policy, "https:") {
			t.Errorf("Content-Security-Policy %q lets the page load from elsewhere", policy)
		}

		base, err := url.Parse(s.url + "/docs")
		if err != nil {
			t.Fatal(err)
		}

		found := references.FindAllStringSubmatch(page.Body, -1)
		if len(found) < 2 {
			t.Fatalf(
				"/docs loads %d files, want a script and a style sheet at least: %s",
				len(found),
				page.Body,
			)
		}

		for _, reference := range found {
			if strings.HasPrefix(reference[1], "data:") {
				continue
			}

			target, err := base.Parse(reference[1])
			if err != nil || target.Host != base.Host {
				t.Errorf("/docs loads %s from elsewhere", reference[1])
				continue
			}

			asset := stacktest.Want(t, 200, stacktest.Request{URL: target.String()}, nil)
			if strings.HasSuffix(target.Path, ".css") && imports.MatchString(asset.Body) {
				t.Errorf("%s loads from elsewhere", target.Path)
			}
		}
	})
}

// document is the part of an OpenAPI document that these tests read.
type document struct {
	OpenAPI string                               `json:"openapi"`
	Paths   map[string]map[string]operationEntry `json:"paths"`

	Components struct {
		SecuritySchemes map[string]struct{ Type, Scheme string } `json:"securitySchemes"`
		Schemas         map[string]struct {
			Properties map[string]struct {
				Enum []any `json:"enum"`
			} `json:"properties"`
		} `json:"schemas"`
	} `json:"components"`
}

type operationEntry struct {
	Security  []map[string][]string      `json:"security"`
	Responses map[string]json.RawMessage `json:"responses"`
}

func openAPI(t *testing.T, s service) document {
	t.Helper()

	var got document
	stacktest.Want(t, 200, stacktest.Request{URL: s.url + "/openapi.json"}, &got)

	return got
}

func TestOpenAPI(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s service) {
		t.Helper()

		got := openAPI(t, s)
		if !strings.HasPrefix(got.OpenAPI, "3.1") ||
			got.Components.SecuritySchemes["bearer"].Scheme != "bearer" {
			t.Errorf(
				"document of version %q with schemes %v, want 3.1 with the bearer scheme",
				got.OpenAPI,
				got.Components.SecuritySchemes,
			)
		}

		for _, path := range s.paths {
			if len(got.Paths[path]) == 0 {
				t.Errorf("the document lacks %s", path)
			}
		}

		for path, operations := range got.Paths {
			for method, operation := range operations {
				if operation.Security == nil || (len(operation.Security) == 0) != s.open {
					t.Errorf("%s %s has security %v", method, path, operation.Security)
				}
			}
		}

		if len(got.Components.Schemas["Problem"].Properties["code"].Enum) == 0 {
			t.Error("Problem.code has no enum")
		}
	})
}
