package acceptance_test

import (
	"encoding/json"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tributary/e2e/stacktest"
)

// The program beside the service recomputes a decision from its explanation alone.
func TestExplanationsAreMadeAgainOffline(t *testing.T) {
	t.Parallel()

	program := filepath.Join(t.TempDir(), "explain")
	if out, err := exec.CommandContext(
		t.Context(),
		"go",
		"build",
		"-o",
		program,
		"tributary/commission/cmd/explain",
	).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}

	again := func(explanation string) (said string, err error) {
		run := exec.CommandContext(t.Context(), program)
		run.Stdin = strings.NewReader(explanation)
		out, err := run.CombinedOutput()

		return string(out), err
	}
	user := stacktest.Unique("user")
	sale := record(t, `{"user_id":"`+user+`","event_type":"purchase","metadata":{"amount":129.99}}`)
	decided(t, sale.EventID, 20*time.Second)
	refund := record(
		t,
		`{"user_id":"`+user+`","event_type":"refund","metadata":{"original_event_id":"`+sale.EventID+`","amount":29.99}}`,
	)

	lead := record(t, `{"user_id":"`+user+`","event_type":"lead"}`)
	for kind, id := range map[string]string{"sale": sale.EventID, "refund": refund.EventID, "lead": lead.EventID} {
		decided(t, id, 20*time.Second)

		var explanation map[string]any
		stacktest.Want(
			t,
			200,
			stacktest.Request{URL: stack.Commission + decisionsPath + id + "/explain"},
			&explanation,
		)

		text, err := json.Marshal(explanation)
		if err != nil {
			t.Fatal(err)
		}

		if said, err := again(string(text)); err != nil ||
			!strings.Contains(said, "same as the explanation says") {
			t.Errorf("%s: %v: %s", kind, err, said)
		}

		explanation["amount_minor"] = json.Number("123456")
		if text, err = json.Marshal(explanation); err != nil {
			t.Fatal(err)
		}

		if said, err := again(string(text)); err == nil ||
			!strings.Contains(said, "the explanation says") {
			t.Errorf("%s with another amount: %v: %s", kind, err, said)
		}
	}

	if said, err := again(`{"event":1}`); err == nil ||
		!strings.Contains(said, "this is no explanation") {
		t.Errorf("no explanation: %v: %s", err, said)
	}
}
