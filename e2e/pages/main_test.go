// Package pages_test follows the documentation word by word: it runs the shell blocks of README.md,
// docs/concepts.md and docs/rules.md against a running stack and compares what they print with what
// the pages show.
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
