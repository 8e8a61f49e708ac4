package sealed_test

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tributary/platform/sealed"
)

// key returns an entry of the ring whose 32 bytes are the letter.
func key(id, letter string) string {
	return id + ":" + base64.StdEncoding.EncodeToString([]byte(strings.Repeat(letter, 32)))
}

func ring(t *testing.T, entries ...string) *sealed.Ring {
	t.Helper()

	r, err := sealed.Load(sealed.Config{Keys: strings.Join(entries, ",")})
	if err != nil {
		t.Fatal(err)
	}

	return r
}

const secret = `{"email":"user@example.com"}`

func TestSealAndOpen(t *testing.T) {
	t.Parallel()
	r := ring(t, key("k1", "a"))

	first, err := r.Seal([]byte(secret), "command-1")
	if err != nil {
		t.Fatal(err)
	}

	second, err := r.Seal([]byte(secret), "command-1")
	if err != nil {
		t.Fatal(err)
	}

	if first == second || strings.Contains(first, "example") {
		t.Error("sealing is not random or not sealing")
	}

	if plain, err := r.Open(first, "command-1"); err != nil || string(plain) != secret {
		t.Errorf("%s %v", plain, err)
	}

	if _, err := r.Open(first, "command-2"); !errors.Is(err, sealed.ErrDamaged) {
		t.Errorf("in another context: %v", err)
	}
}

// A change of any character of a sealed field is detected.
func TestEveryChangeIsNoticed(t *testing.T) {
	t.Parallel()
	r := ring(t, key("k1", "a"))

	text, err := r.Seal([]byte(secret), "command-1")
	if err != nil {
		t.Fatal(err)
	}

	for i := range text {
		changed := []byte(text)

		changed[i] = map[bool]byte{true: 'B', false: 'A'}[changed[i] == 'A']
		if plain, err := r.Open(string(changed), "command-1"); err == nil {
			t.Fatalf("a change at %d is not noticed: %s", i, plain)
		}
	}

	for _, junk := range []string{"", ".", "....", "a.b.c.d.e", text + ".x", text[:len(text)-4], secret} {
		if _, err := r.Open(junk, "command-1"); !errors.Is(err, sealed.ErrMalformed) &&
			!errors.Is(err, sealed.ErrDamaged) {
			t.Errorf("%q: %v", junk, err)
		}
	}
}

func TestChangeOfKeys(t *testing.T) {
	t.Parallel()
	old := ring(t, key("k1", "a"))
	both := ring(t, key("k1", "a"), key("k2", "b"))
	turned := ring(t, key("k2", "b"), key("k1", "a"))
	fresh := ring(t, key("k2", "b"))

	byOld, err := old.Seal([]byte(secret), "c")
	if err != nil {
		t.Fatal(err)
	}

	byNew, err := turned.Seal([]byte(secret), "c")
	if err != nil {
		t.Fatal(err)
	}

	for name, tc := range map[string]struct {
		ring *sealed.Ring
		text string
		want error
	}{
		"before, old": {old, byOld, nil}, "added, old": {both, byOld, nil}, "added, new": {both, byNew, nil}, "turned, old": {turned, byOld, nil},
		"dropped, new": {fresh, byNew, nil}, "dropped, old": {fresh, byOld, sealed.ErrUnknownKey}, "before, new": {old, byNew, sealed.ErrUnknownKey},
		"same id, other key": {ring(t, key("k1", "z")), byOld, sealed.ErrDamaged},
	} {
		if _, err := tc.ring.Open(tc.text, "c"); !errors.Is(err, tc.want) {
			t.Errorf("%s: %v, want %v", name, err, tc.want)
		}
	}
}

// random returns a setting with one random key.
func random() string {
	raw := make([]byte, 32)
	_, _ = rand.Read(raw)

	return "k0:" + base64.StdEncoding.EncodeToString(raw)
}

func TestSettings(t *testing.T) {
	t.Parallel()

	file := filepath.Join(t.TempDir(), "keys")
	if err := os.WriteFile(
		file,
		[]byte(key("k1", "a")+"\n"+key("k2", "b")+"\n"),
		0o600,
	); err != nil {
		t.Fatal(err)
	}

	for name, tc := range map[string]struct {
		cfg        sealed.Config
		production bool
		refused    bool
	}{
		"none": {sealed.Config{}, false, false}, "none in production": {sealed.Config{}, true, true},
		"one":                      {sealed.Config{Keys: random()}, true, false},
		"monotonous":               {sealed.Config{Keys: key("k1", "a")}, false, false},
		"monotonous in production": {sealed.Config{Keys: key("k1", "a")}, true, true},
		"file in production":       {sealed.Config{File: file}, true, true},
		"zeros behind a good one":  {sealed.Config{Keys: random() + "," + key("k9", "\x00")}, true, true},
		"a text": {
			sealed.Config{Keys: "k1:" + base64.StdEncoding.EncodeToString([]byte("kP7v!xZ2mQ9w#Lr4bN8s@Td6hJ1yFg5c"))},
			true, true,
		},
		"file": {sealed.Config{File: file}, false, false},
		"both": {sealed.Config{Keys: key("k1", "a"), File: file}, false, true}, "absent file": {sealed.Config{File: file + "x"}, false, true},
		"short key": {sealed.Config{Keys: "k1:c2hvcnQ="}, false, true}, "no id": {sealed.Config{Keys: key("", "a")}, false, true},
		"id twice": {sealed.Config{Keys: key("k1", "a") + "," + key("k1", "b")}, false, true}, "no key": {sealed.Config{Keys: " ,"}, false, true},
		"no base64": {sealed.Config{Keys: "k1:" + strings.Repeat("!", 44)}, false, true},
	} {
		faults := tc.cfg.Validate(tc.production)
		if (len(faults) > 0) != tc.refused {
			t.Errorf("%s: %v", name, faults)
		}
	}
}
