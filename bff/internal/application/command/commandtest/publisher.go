// Package commandtest provides a publisher in memory, and the contract suite that it and the
// publisher to the broker pass.
package commandtest

import (
	"context"
	"slices"
	"sync"

	"tributary/bff/internal/application/command"
	domain "tributary/bff/internal/domain/command"
)

// Publisher keeps commands in memory. The zero Publisher stores every command.
type Publisher struct {
	mu     sync.Mutex
	err    error
	stored []domain.Command
}

var _ command.Publisher = (*Publisher)(nil)

// Fail has Publish store nothing and return err, until it is called with nil.
func (p *Publisher) Fail(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.err = err
}

// Stored returns every command that was stored, in order.
func (p *Publisher) Stored() []domain.Command {
	p.mu.Lock()
	defer p.mu.Unlock()

	return slices.Clone(p.stored)
}

// Of returns the stored commands of a kind.
func Of[T domain.Command](p *Publisher) []T {
	var list []T

	for _, stored := range p.Stored() {
		if c, ok := stored.(T); ok {
			list = append(list, c)
		}
	}

	return list
}

func (p *Publisher) Publish(ctx context.Context, cmd domain.Command) error {
	p.mu.Lock()
	defer p.mu.Unlock()

	switch {
	case ctx.Err() != nil:
		return command.ErrBrokerUnavailable.Because(ctx.Err(), "The caller has left.")
	case p.err != nil:
		return p.err
	}

	p.stored = append(p.stored, cmd)

	return nil
}
