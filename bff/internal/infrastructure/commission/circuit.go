package commission

import (
	"sync"
	"time"
)

const (
	tolerated = 5           // failures in a row before the circuit opens
	rest      = time.Second // then one call is let through
)

// circuit spares calls to a service that does not answer: after five failures in a row it lets one
// call a second through. It is safe for concurrent use.
type circuit struct {
	now      func() time.Time
	mu       sync.Mutex
	failures int
	next     time.Time // while open, when the next call is let through
}

func newCircuit(now func() time.Time) *circuit { return &circuit{now: now} }

// allows reports whether a call may be made. An open circuit lets one call a second through.
func (c *circuit) allows() bool {
	c.mu.Lock()
	defer c.mu.Unlock()

	if c.failures < tolerated {
		return true
	}

	now := c.now()
	if now.Before(c.next) {
		return false
	}

	c.next = now.Add(rest)

	return true
}

// note records the outcome of a call. A success closes the circuit.
func (c *circuit) note(failed bool) {
	c.mu.Lock()
	defer c.mu.Unlock()

	if !failed {
		c.failures = 0
		return
	}

	c.failures++
	if c.failures == tolerated {
		c.next = c.now().Add(rest)
	}
}
