package rest

// Take asks the limiter for one request of the caller.
func Take(l *Limiter, caller string) { l.take(caller) }

// Callers tells how many callers the limiter remembers.
func Callers(l *Limiter) int { return len(l.full) }
