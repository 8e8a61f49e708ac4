//go:build openapi

// Package openapi_test holds the OpenAPI documents against the running services.
// `make test-openapi` installs what it needs.
package openapi_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/golang-jwt/jwt/v5"

	"tributary/e2e/stacktest"
)

var stack *stacktest.Stack //nolint:gochecknoglobals // TestMain hands the one stack to all tests

// TEST_AUTH_REQUIRED says whether all services of the stack demand a token.
func TestMain(m *testing.M) {
	os.Exit(stacktest.RunPrivate(
		m,
		func(s *stacktest.Stack) { stack = s },
		"AUTH_REQUIRED="+os.Getenv("TEST_AUTH_REQUIRED"),
	))
}

// schemathesis finds nothing that a service does and its document does not say.
//
//nolint:paralleltest // the services write into one stack, one after the other
func TestServicesDoWhatTheirDocumentsSay(t *testing.T) {
	for service, url := range map[string]string{
		"bff":        stack.BFF,
		"commission": stack.Commission,
		"tracking":   stack.Tracking,
	} {
		t.Run(service, func(t *testing.T) {
			config, err := filepath.Abs("schemathesis.toml")
			if err != nil {
				t.Fatal(err)
			}

			hooks, err := filepath.Abs("hooks.py")
			if err != nil {
				t.Fatal(err)
			}

			claims := stacktest.PartnerClaims("user123")
			claims["roles"] = []string{"partner", "operator", "finance", "admin"}
			token := stacktest.Sign(t, jwt.SigningMethodHS256, []byte(stack.Secret), claims)

			args := []string{"--config-file", config, "run", url + "/openapi.json"}
			if service == "bff" || os.Getenv("TEST_AUTH_REQUIRED") == "true" {
				args = append(args, "--header", "Authorization: Bearer "+token)
			}

			command := exec.CommandContext(t.Context(), os.Getenv("TEST_SCHEMATHESIS"), args...)
			command.Dir = t.TempDir()
			command.Env = append(os.Environ(), "SCHEMATHESIS_HOOKS="+hooks)

			if out, err := command.CombinedOutput(); err != nil {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}
