package faults_test

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tributary/e2e/stacktest"
)

// Account details are personal data: with a key configured, nothing that the stack writes holds
// them in plain: no log, no metric, no answer, no message of the broker, no row and no write-ahead
// log of a database.
//
//nolint:paralleltest // it reads what all tests write
func TestAccountDetailsAreNowhereInPlain(t *testing.T) {
	user, canary := stacktest.Unique("payee"), stacktest.Unique("canary")
	token := stack.Token(t, user)
	purchase := fmt.Sprintf(
		`{"user_id":%q,"event_type":"purchase","metadata":{"amount":1000.00}}`,
		user,
	)
	stacktest.Want(
		t,
		201,
		stacktest.Request{URL: stack.Tracking + "/api/v1/tracking/events", Body: purchase},
		nil,
	)
	stacktest.Await(t, 10*time.Second, "the commission", func(context.Context) error {
		//nolint:contextcheck // it uses the test's
		if rows := commissions(t, user); len(rows) != 1 {
			return fmt.Errorf("%d rows", len(rows))
		}

		return nil
	})

	var said strings.Builder
	for amount, status := range map[string]int{"60.00": 202, "90.00": 202, "-1": 422} {
		// one covered, one not, one refused
		request := stacktest.Request{
			URL:   stack.BFF + "/api/v1/payments/request",
			Token: token,
			Body: fmt.Sprintf(
				`{"amount":%s,"currency":"USD","payment_method":"paypal","account_details":{"email":"%s@example.com"}}`,
				amount,
				canary,
			),
		}
		said.WriteString(stacktest.Want(t, status, request, nil).Body)
	}

	stacktest.Await(t, 10*time.Second, "both payments", func(ctx context.Context) error {
		answer, err := stacktest.Send(
			ctx,
			stacktest.Request{URL: stack.BFF + "/api/v1/payments", Token: token},
		)
		if err == nil && strings.Count(answer.Body, `"requested_at"`) != 2 {
			err = fmt.Errorf("payments: %s", answer.Body)
		}

		said.WriteString(answer.Body)

		return err
	})

	for _, url := range []string{stack.BFF, stack.Tracking, stack.Commission} {
		said.WriteString(stacktest.Want(t, 200, stacktest.Request{URL: url + "/metrics"}, nil).Body)
	}

	if strings.Contains(said.String(), canary) {
		t.Error("an answer or a metric holds the account details")
	}

	searched := search(t, stack.State, canary)
	if searched < 100 {
		t.Fatalf("only %d files were searched", searched)
	}

	t.Logf("%d files searched", searched)
}

// search returns the number of files below dir that contain the text.
func search(t *testing.T, dir, text string) (files int) {
	t.Helper()

	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() ||
			strings.HasPrefix(path, filepath.Join(dir, "bin")) {
			return nil //nolint:nilerr // what has gone meanwhile holds nothing
		}

		content, err := os.ReadFile(path)
		if err != nil {
			return nil //nolint:nilerr // as above
		}

		files++

		if bytes.Contains(content, []byte(text)) {
			t.Errorf("%s holds the account details in plain", strings.TrimPrefix(path, dir))
		}

		return nil
	})
	if err != nil {
		t.Fatal(err)
	}

	return files
}
