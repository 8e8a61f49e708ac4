package config

import (
	"slices"
	"strings"
)

// Guessable reports whether a secret is an example, or has too little variety or too much order to
// be random. It does not check the length: each secret has its own rule.
func Guessable(secret string) bool {
	return worded(secret) || ordered(secret) || repeated(secret)
}

// worded reports whether a quarter of the secret or more is words of examples. A single short word
// also comes about by chance, as admin does in one random key of a million.
func worded(secret string) bool {
	lower := strings.ToLower(secret)
	letters := 0

	for _, word := range []string{
		"change", "development", "example", "insecure", "default", "secret", "password", "local",
		"tributary", "admin", "postgres", "qwert", "asdf", "zxcv", "letmein", "correcthorse",
		"deadbeef",
	} {
		letters += len(word) * strings.Count(lower, word)
	}

	return letters > 0 && 4*letters >= len(secret)
}

// Monotonous reports whether a secret of 32 bytes or more has fewer than 12 different bytes.
func Monotonous(secret string) bool {
	distinct := make(map[byte]struct{})
	for i := range len(secret) {
		distinct[secret[i]] = struct{}{}
	}

	return len(distinct) < 12
}

// ordered reports whether at least a third of the secret lies in runs of four bytes that are equal,
// or go up or down by one: abcd, 4321, aaaa.
func ordered(secret string) bool {
	inRuns := 0
	run := 1
	step := 0

	for i := 1; i <= len(secret); i++ {
		next := 256
		if i < len(secret) {
			next = int(secret[i]) - int(secret[i-1])
		}

		if run > 1 && next == step {
			run++
			continue
		}

		if run >= 4 {
			inRuns += run
		}

		run = 1

		if next >= -1 && next <= 1 {
			run = 2
			step = next
		}
	}

	return 3*inRuns >= len(secret) && inRuns > 0
}

// repeated reports whether the secret repeats itself: fewer than half of its three-byte parts are
// distinct.
func repeated(secret string) bool {
	var parts []string
	for i := 0; i+3 <= len(secret); i++ {
		parts = append(parts, secret[i:i+3])
	}

	all := len(parts)
	slices.Sort(parts)

	return all >= 8 && 2*len(slices.Compact(parts)) < all
}
