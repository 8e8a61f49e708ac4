package commission_test

import (
	"errors"
	"strings"
	"testing"

	"tributary/commission/internal/domain/commission"
	"tributary/platform/fault"
)

func TestAReasonCanBeRead(t *testing.T) {
	t.Parallel()

	for _, reason := range []string{"checked", "zwei Zeilen\n\tund mehr", "検査済み", "a", strings.Repeat("x", 500)} {
		if err := commission.CheckReason(reason); err != nil {
			t.Errorf("%q: %v", reason, err)
		}
	}

	for _, reason := range []string{
		"", " ", "\n\t", "\u200b", "\u3164", "\u2800", "\u2066x", "a\x00b", "\x1b[2J", "\xff",
		strings.Repeat("x", 501),
	} {
		if err := commission.CheckReason(reason); !errors.Is(err, fault.ErrValidation) {
			t.Errorf("%q is taken: %v", reason, err)
		}
	}
}
