// Package acceptance_test runs the user's requests as written over a running stack and compares
// what comes back, from the services, the broker and the databases. It takes the stack that
// E2E_BFF_URL and its companions name, or brings up a private one.
package acceptance_test

import (
	"os"
	"testing"

	"tributary/e2e/stacktest"
)

var stack *stacktest.Stack //nolint:gochecknoglobals // TestMain hands the one stack to all tests

func TestMain(m *testing.M) {
	os.Exit(stacktest.Run(m, func(s *stacktest.Stack) { stack = s }))
}
