package httpapi

import (
	"context"
	"sync"
	"time"
)

// Shares divides a bounded amount, such as bytes of memory, among callers. A single caller gets at
// most three quarters; the last quarter is for callers that hold little. Shares is safe for
// concurrent use.
type Shares struct {
	mu    sync.Mutex
	total int64
	used  int64
	held  map[string]int64
	freed chan struct{} // closed by the next release; nil if no one waits for it
}

// NewShares returns Shares of the total amount.
func NewShares(total int64) *Shares {
	return &Shares{total: total, held: map[string]int64{}}
}

// Most returns the most that one caller alone can have.
func (s *Shares) Most() int64 { return s.total - s.total/4 }

// Take takes n for the caller. It reports whether there was room.
func (s *Shares) Take(caller string, n int64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()

	return s.take(caller, n)
}

func (s *Shares) take(caller string, n int64) bool {
	little := s.held[caller]+n <= max(s.total/16, 1)
	if s.used+n > s.total || (!little && s.used+n > s.Most()) {
		return false
	}

	s.used += n
	s.held[caller] += n

	return true
}

// Wait is Take that waits up to the limit for room.
func (s *Shares) Wait(ctx context.Context, limit time.Duration, caller string, n int64) bool {
	if s.Take(caller, n) {
		return true
	}

	timer := time.NewTimer(limit)
	defer timer.Stop()

	for {
		s.mu.Lock()

		taken := s.take(caller, n)
		if !taken && s.freed == nil {
			s.freed = make(chan struct{})
		}

		freed := s.freed
		s.mu.Unlock()

		if taken {
			return true
		}

		select {
		case <-freed:
		case <-timer.C:
			return false
		case <-ctx.Done():
			return false
		}
	}
}

// Release returns n that the caller has taken.
func (s *Shares) Release(caller string, n int64) {
	if n == 0 {
		return
	}

	s.mu.Lock()
	defer s.mu.Unlock()

	s.used -= n
	if s.held[caller] -= n; s.held[caller] == 0 {
		delete(s.held, caller)
	}

	if s.freed != nil {
		close(s.freed)
		s.freed = nil
	}
}
