// Package finance_test follows docs/finance.md on a stack that is set up as the page says: tokens
// are required and roles are separated.
package finance_test

import (
	"encoding/base64"
	"os"
	"testing"

	"tributary/e2e/internal/pagetest"
	"tributary/e2e/stacktest"
)

var stack *stacktest.Stack //nolint:gochecknoglobals // TestMain hands the one stack to all tests

func TestMain(m *testing.M) {
	key := base64.StdEncoding.EncodeToString([]byte("0123456789abcdef0123456789abcdef"))
	os.Exit(stacktest.RunPrivate(
		m,
		func(s *stacktest.Stack) { stack = s },
		"AUTH_REQUIRED=true",
		"PAYOUT_FOUR_EYES=true",
		"PAYOUT_MINIMUM=EUR:25.00",
		"PAYOUT_DEBTOR_NAME=Example GmbH",
		"PAYOUT_DEBTOR_IBAN=DE89370400440532013000",
		"ACCOUNT_DETAILS_KEYS=test:"+key,
	))
}

func TestFinance(t *testing.T) {
	t.Parallel()
	pagetest.Follow(t, stack, "docs/finance.md")
}
