package postgres

import (
	"strconv"
	"time"
)

// HeldEnds returns for how many of so many users the ends are held after their batches.
func HeldEnds(users int) int {
	r := newRecentEnds()

	for i := range users {
		taken, _ := r.take([]string{strconv.Itoa(i)})
		r.put(taken)
	}

	return len(r.of)
}

// AgeEnds makes all ends that the store holds older, or those of a server that was started so much
// earlier.
func AgeEnds(s *Store, days, server time.Duration) {
	for _, held := range s.ends.of {
		held.known.day = held.known.day.Add(-days)
		held.known.server = held.known.server.Add(-server)
	}
}
