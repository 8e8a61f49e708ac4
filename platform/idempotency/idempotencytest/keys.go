// Package idempotencytest has keys in memory, and the contract suite that they and those of the
// services pass.
package idempotencytest

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"tributary/platform/idempotency"
)

// Keys keeps the times of the first uses of keys in memory. The zero Keys is empty.
type Keys struct {
	mu   sync.Mutex
	uses map[string]time.Time
}

var _ idempotency.Keys = (*Keys)(nil)

// Use notes the first use of a key.
func (k *Keys) Use(key string, at time.Time) {
	k.mu.Lock()
	defer k.mu.Unlock()

	if k.uses == nil {
		k.uses = map[string]time.Time{}
	}

	k.uses[key] = at
}

// Known returns the keys in their order.
func (k *Keys) Known() []string {
	k.mu.Lock()
	defer k.mu.Unlock()

	return slices.Sorted(maps.Keys(k.uses))
}

func (k *Keys) Forget(_ context.Context, before time.Time, limit int) (int, error) {
	if !k.mu.TryLock() {
		return 0, nil
	}

	defer k.mu.Unlock()

	old := slices.DeleteFunc(slices.Collect(maps.Keys(k.uses)), func(key string) bool {
		return !k.uses[key].Before(before)
	})
	slices.SortFunc(old, func(a, b string) int {
		return cmp.Or(k.uses[a].Compare(k.uses[b]), cmp.Compare(a, b))
	})

	old = old[:min(limit, len(old))]
	for _, key := range old {
		delete(k.uses, key)
	}

	return len(old), nil
}
