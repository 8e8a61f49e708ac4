// Package faults_test ends processes of a private stack while events and commands arrive, and
// checks afterwards that everything acknowledged is there exactly once.
package faults_test

import (
	"encoding/base64"
	"os"
	"testing"

	"tributary/e2e/stacktest"
)

var stack *stacktest.Stack //nolint:gochecknoglobals // TestMain hands the one stack to all tests

func TestMain(m *testing.M) {
	sealing := "ACCOUNT_DETAILS_KEYS=test:" + base64.StdEncoding.EncodeToString(
		[]byte("0123456789abcdef0123456789abcdef"),
	)
	os.Exit(stacktest.RunPrivate(m, func(s *stacktest.Stack) { stack = s }, sealing))
}
