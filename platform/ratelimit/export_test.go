package ratelimit

// Callers returns how many callers the limiter remembers.
func Callers(l *Limiter) int { return len(l.full) }
