package commission

import (
	"sync"
	"time"
)

const (
	tolerated = 5           // failures in a row before calls are spared
	rest      = time.Second // then one call may try again
)

// circuit spares calls to a service that does not answer: after five failures in a row one call a
// second may try. It is safe for concurrent use.
type circuit struct {
	now      func() time.Time
	mu       sync.Mutex
	failures int
	next     time.Time // when the next call may try, while open
}

func newCircuit(now func() time.Time) *circuit { return &circuit{now: now} }

// allows tells whether a call may be made; while open it lets one through a second.
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

// note tells what became of a call; one success closes the circuit.
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
