package ids_test

import (
	"testing"

	"github.com/google/uuid"

	"tributary/platform/ids"
)

func TestDerivedIDsFollowFromTheirParts(t *testing.T) {
	t.Parallel()

	g := ids.New("bff:command")
	if got, again := g.Derived("user", "key"), ids.New(
		"bff:command",
	).Derived("user", "key"); got != again ||
		uuid.MustParse(got).Version() != 5 {
		t.Errorf("Derived = %s and %s, want the same UUIDv5", got, again)
	}

	if g.Derived("ab", "c") == g.Derived("a", "bc") ||
		g.Derived("a") == ids.New("tracking:event").Derived("a") {
		t.Error("different parts, or different names, have the same id")
	}
}

func TestNewIDsGrow(t *testing.T) {
	t.Parallel()
	g := ids.New("bff:command")

	last := ""
	for range 100 {
		id, err := g.New()
		if err != nil || id <= last || uuid.MustParse(id).Version() != 7 {
			t.Fatalf("New = %s after %s (%v), want a growing UUIDv7", id, last, err)
		}

		last = id
	}
}
