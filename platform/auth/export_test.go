package auth

// CacheSize returns the number of tokens that the verifier remembers.
func CacheSize(v *Verifier) int {
	v.cache.mu.RLock()
	defer v.cache.mu.RUnlock()

	return len(v.cache.young) + len(v.cache.old)
}

// CacheBound is the largest number of remembered tokens.
const CacheBound = 2 * cacheHalf
