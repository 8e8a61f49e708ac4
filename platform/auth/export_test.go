package auth

// CacheSize tells how many tokens the verifier remembers.
func CacheSize(v *Verifier) int {
	v.cache.mu.RLock()
	defer v.cache.mu.RUnlock()

	return len(v.cache.young) + len(v.cache.old)
}

// CacheBound is the most that it may remember.
const CacheBound = 2 * cacheHalf
