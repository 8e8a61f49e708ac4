package payout_test

import (
	"strings"
	"testing"

	"tributary/commission/internal/domain/payout"
)

func TestReferences(t *testing.T) {
	t.Parallel()

	for _, id := range []string{
		"01a217b8-e46a-7995-a3b0-937790649aff",
		"00000000-0000-0000-0000-000000000000",
		"ffffffff-ffff-ffff-ffff-ffffffffffff",
	} {
		for _, text := range []string{id, payout.Reference(id), payout.ShortReference(id)} {
			for _, spelled := range []string{text, strings.ToUpper(text), strings.ToLower(text)} {
				if got, ok := payout.ParseReference(spelled); !ok || got != id {
					t.Errorf("%s names %s, %v", spelled, got, ok)
				}
			}
		}

		if got := payout.ShortReference(id); len(got) != 26 {
			t.Errorf("%s has %d characters", got, len(got))
		}
	}

	for _, text := range []string{
		"",
		"01a217b8",
		"01a217b8-e46a-7995-a3b0-937790649afg",
		"01a217b8e46a-7995-a3b0-937790649aff-",
		"01a217b8-e46a-7995-a3b0-937790649aff0",
		strings.Repeat("V", 26), // unused bits
		strings.Repeat("Z", 26),
	} {
		if id, ok := payout.ParseReference(text); ok {
			t.Errorf("%q names %s", text, id)
		}
	}
}
