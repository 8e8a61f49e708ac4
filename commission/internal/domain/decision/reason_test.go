package decision_test

import (
	"os"
	"strings"
	"testing"

	"tributary/commission/internal/domain/decision"
)

// The documentation lists every reason with its meaning.
func TestReasonsAreDocumented(t *testing.T) {
	t.Parallel()

	text, err := os.ReadFile("../../../../docs/reason-codes.md")
	if err != nil {
		t.Fatal(err)
	}

	for _, reason := range decision.Reasons() {
		if line := "| `" + string(
			reason,
		) + "` | " + reason.Meaning() + " |"; reason.Meaning() == "" ||
			!strings.Contains(string(text), line) {
			t.Errorf("docs/reason-codes.md must hold the line\n%s", line)
		}
	}
}
