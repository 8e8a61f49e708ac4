// Package acceptance_test sends the user's requests, as documented, to a running stack and compares
// the results in the services, the broker and the databases. It uses the stack that E2E_BFF_URL and
// its companions name, or starts a private one.
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
