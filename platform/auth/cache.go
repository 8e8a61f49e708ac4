package auth

import (
	"crypto/sha256"
	"sync"
	"time"
)

const (
	cacheTime = 5 * time.Minute
	cacheHalf = 8192
)

type cacheKey [sha256.Size]byte

type cached struct {
	identity   Identity
	generation uint64 // of the keys that verified it
	until      time.Time
}

// cache remembers verified tokens by their SHA-256 hash; it never stores a token. It holds two
// generations of at most 8,192 entries. When the young one is full it replaces the old one. A cache
// is safe for concurrent use.
type cache struct {
	mu         sync.RWMutex
	young, old map[cacheKey]cached
}

func newCache() *cache {
	return &cache{young: make(map[cacheKey]cached)}
}

// get returns the identity of a token that keys of the generation have verified, if it has not
// expired.
func (c *cache) get(token string, generation uint64, now time.Time) (Identity, bool) {
	sum := cacheKey(sha256.Sum256([]byte(token)))

	c.mu.RLock()
	defer c.mu.RUnlock()

	entry, ok := c.young[sum]
	if !ok {
		entry, ok = c.old[sum]
	}

	if !ok || entry.generation != generation || !now.Before(entry.until) {
		return Identity{}, false
	}

	return entry.identity, true
}

// put remembers a verified token until it expires, for at most five minutes.
func (c *cache) put(token string, identity Identity, generation uint64, now time.Time) {
	until := now.Add(cacheTime)
	if identity.ExpiresAt.Before(until) {
		until = identity.ExpiresAt
	}

	sum := cacheKey(sha256.Sum256([]byte(token)))
	c.mu.Lock()
	defer c.mu.Unlock()

	if len(c.young) >= cacheHalf {
		c.old, c.young = c.young, make(map[cacheKey]cached)
	}

	c.young[sum] = cached{identity, generation, until}
}
