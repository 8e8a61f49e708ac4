package idempotencytest_test

import (
	"testing"
	"time"

	"tributary/platform/idempotency/idempotencytest"
)

func TestTheKeysInMemoryKeepTheContract(t *testing.T) {
	t.Parallel()
	idempotencytest.Suite(t, func(*testing.T) idempotencytest.World {
		var keys idempotencytest.Keys

		return idempotencytest.World{
			Keys:  &keys,
			Use:   func(_ *testing.T, key string, at time.Time) { keys.Use(key, at) },
			Known: func(*testing.T) []string { return keys.Known() },
		}
	})
}
