package rest_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"testing"

	"tributary/bff/internal/application/command"
	"tributary/bff/internal/application/command/commandtest"
	"tributary/bff/internal/domain/payment"
)

const canary = "canary-7f3a"

// The account details of a payment request never appear in an answer, a log or a metric, and are
// never printed.
func TestAccountDetailsAreNeverShown(t *testing.T) {
	t.Parallel()

	var log bytes.Buffer
	s := setupWith(
		t,
		slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	)
	body := strings.Replace(goodPayment, "user@example.com", canary, 1)

	var answers strings.Builder
	for _, outcome := range []error{nil, errors.New("broken"), command.ErrBrokerUnavailable.Because(errors.New("cause"), "Away.")} {
		s.published.Fail(outcome)

		for _, sent := range []string{
			body, strings.Replace(body, "USD", "XXX", 1), strings.Replace(body, "150.00", `"`+canary+`"`, 1), strings.Replace(body, "paypal", canary+"!", 1),
			strings.Replace(body, `"account_details"`, `"`+canary+`"`, 1), strings.Replace(body, `{"email"`, `{"email":"`+canary+`","email"`, 1),
			body + canary, body[:len(body)-2], strings.Replace(body, "account_details", "Account_Details", 1),
		} {
			w := s.post(t, paymentPath, sent)
			// the name of an unknown field is returned to its sender; a value never is
			answers.WriteString(strings.ReplaceAll(w.Body.String(), `"field":"`+canary+`"`, ""))
		}
	}

	s.published.Fail(nil)
	s.post(t, paymentPath, body)
	kept := commandtest.Of[payment.Request](s.published)[len(commandtest.Of[payment.Request](s.published))-1]
	printed := fmt.Sprintf(
		"%v %+v %#v %s %q",
		kept,
		kept,
		kept.AccountDetails(),
		kept.AccountDetails(),
		kept.AccountDetails(),
	)
	slog.New(
		slog.NewTextHandler(&log, nil),
	).Info("logged on purpose", "request", kept, "details", kept.AccountDetails())

	metrics, err := io.ReadAll(s.get(t, "/metrics", "").Body)
	if err != nil {
		t.Fatal(err)
	}

	for name, text := range map[string]string{"answers": answers.String(), "log": log.String(), "printed": printed, "metrics": string(metrics)} {
		if text == "" || strings.Contains(text, canary) {
			t.Errorf("%s: %s", name, text)
		}
	}

	if !strings.Contains(kept.AccountDetails().Reveal(), canary) {
		t.Error("the test's own canary is not there")
	}
}
