// Package eventstest has dead letters in memory, and the contract suite that they and those of the
// broker pass.
package eventstest

import (
	"context"
	"maps"
	"slices"
	"sync"

	"tributary/commission/internal/api/events"
	"tributary/platform/broker"
)

// Letter is a message that was kept, with the reason.
type Letter struct {
	Message broker.Received
	Reason  string
}

// Letters keeps dead letters in memory. The zero Letters stores every letter.
type Letters struct {
	mu     sync.Mutex
	err    error
	stored []Letter
}

var _ events.DeadLetters = (*Letters)(nil)

// Fail has Put store nothing and return err, until it is called with nil.
func (l *Letters) Fail(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.err = err
}

// Stored returns every letter that was stored, in order.
func (l *Letters) Stored() []Letter {
	l.mu.Lock()
	defer l.mu.Unlock()

	return slices.Clone(l.stored)
}

// Put implements events.DeadLetters.
func (l *Letters) Put(ctx context.Context, m broker.Received, reason string) error {
	l.mu.Lock()
	defer l.mu.Unlock()

	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case l.err != nil:
		return l.err
	}

	m.Payload = slices.Clone(m.Payload)
	m.Properties = maps.Clone(m.Properties)
	l.stored = append(l.stored, Letter{Message: m, Reason: reason})

	return nil
}
