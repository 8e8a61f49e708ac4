// Package pages_test follows the documentation literally: it runs the shell blocks of README.md,
// docs/concepts.md and docs/rules.md against a running stack and compares their output with the
// pages.
package pages_test

import (
	"os"
	"testing"

	"tributary/e2e/stacktest"
)

var stack *stacktest.Stack //nolint:gochecknoglobals // TestMain hands the one stack to all tests

func TestMain(m *testing.M) {
	os.Exit(stacktest.Run(m, func(s *stacktest.Stack) { stack = s }))
}
