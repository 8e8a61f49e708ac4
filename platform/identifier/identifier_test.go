package identifier_test

import (
	"strings"
	"testing"

	"tributary/platform/identifier"
)

func TestValid(t *testing.T) {
	t.Parallel()

	for text, want := range map[string]bool{
		"user123": true, "a b": true, "üser": true, "日本": true, strings.Repeat("😀", 128): true,
		"": false, strings.Repeat("é", 129): false, "a\nb": false, "a\x7f": false, "a\u0085": false, "a\u200bb": false, "a\u00a0b": false, "\xff": false, "a\ufffd": false,
	} {
		if got := identifier.Valid(text); got != want {
			t.Errorf("Valid(%q) = %t", text, got)
		}
	}
}
