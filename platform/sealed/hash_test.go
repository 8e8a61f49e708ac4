package sealed_test

import (
	"regexp"
	"testing"

	"tributary/platform/sealed"
)

func TestHashesAreEqualForEqualTextsOnly(t *testing.T) {
	t.Parallel()

	r := ring(t, key("k1", "a"), key("k2", "b"))
	first := r.Hash("iban", "c1")

	if !regexp.MustCompile(`^k1:[0-9a-f]{64}$`).MatchString(first) {
		t.Error(first)
	}

	if again := ring(t, key("k1", "a")).Hash("iban", "c1"); again != first {
		t.Errorf("another replica: %s, want %s", again, first)
	}

	var none *sealed.Ring
	for name, other := range map[string]string{
		"another text":    r.Hash("iban2", "c1"),
		"another context": r.Hash("iban", "c2"),
		"another key":     ring(t, key("k1", "z")).Hash("iban", "c1"),
		"no key":          "k1:" + none.Hash("iban", "c1"),
	} {
		if other == first {
			t.Errorf("%s: the same hash", name)
		}
	}

	// SHA-256 of "c1\niban", by sha256sum
	const want = "36899e7a3e205df620a69b8a2afd8b819828afbb947893457508a4721c124dce"
	if got := none.Hash("iban", "c1"); got != want {
		t.Errorf("without a key %s, want %s", got, want)
	}
}
