package config_test

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"testing"

	"tributary/platform/config"
)

func TestGuessable(t *testing.T) {
	t.Parallel()

	for _, secret := range []string{
		"abcdefghijklmnopqrstuvwxyz0123456789",
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
		"zyxwvutsrqponmlkjihgfedcba9876543210",
		"0123456789abcdef0123456789abcdef",
		"aaaabbbbccccddddeeeeffffgggghhhh",
		"kP7v!xZ2mQ9wkP7v!xZ2mQ9wkP7v!xZ2mQ9w",
		"qwertyuiopasdfghjklzxcvbnm1234567890",
		"your-256-bit-secret-change-me-please",
		"correcthorsebatterystaple-correcthorse",
		string(make([]byte, 32)),
	} {
		if !config.Guessable(secret) && !config.Monotonous(secret) {
			t.Errorf("%q passes", secret)
		}
	}

	if secret := "iqD99aDminXWmvGXNs+9kX7RHz7wvWfhFAmYfT+fYKE="; config.Guessable(secret) {
		t.Errorf("%q is refused", secret)
	}

	for range 2000 {
		raw := make([]byte, 32)
		_, _ = rand.Read(raw)

		for _, secret := range []string{
			string(raw), hex.EncodeToString(raw), base64.StdEncoding.EncodeToString(raw),
		} {
			if config.Guessable(secret) || config.Monotonous(secret) {
				t.Errorf("%q is refused", secret)
			}
		}
	}
}
