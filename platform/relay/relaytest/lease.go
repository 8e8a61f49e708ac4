// Package relaytest has the contract suites of a relay.Publisher, and of lease and reader of a
// relay.Log.
package relaytest

import (
	"context"
	"testing"
	"time"
)

// Lease is the part of a relay.Log that holds position and lease.
type Lease[P comparable] interface {
	Lead(ctx context.Context, holder string, lease time.Duration) (position P, leads bool, err error)
	Advance(ctx context.Context, holder string, position P, lease time.Duration) (leads bool, err error)
	Resign(ctx context.Context, holder string) error
}

// Suite tests the contract of a lease. open returns a free one at the zero position; earlier and
// later are positions after it.
func Suite[P comparable](t *testing.T, earlier, later P, open func(t *testing.T) Lease[P]) {
	t.Helper()
	t.Run("a lease has one holder", func(t *testing.T) {
		t.Parallel()

		var zero P

		l := checked[P]{t: t, lease: open(t)}
		l.lead("a", time.Hour, true, zero)
		l.lead("b", time.Hour, false, zero)
		l.lead("a", time.Hour, true, zero)
	})
	t.Run("only the holder advances, and never back", func(t *testing.T) {
		t.Parallel()

		var zero P

		l := checked[P]{t: t, lease: open(t)}
		l.lead("a", time.Hour, true, zero)
		l.advance("a", later, true)
		l.advance("b", later, false)
		l.advance("a", earlier, true)
		l.lead("a", time.Hour, true, later)
	})
	t.Run("an expired lease is free", func(t *testing.T) {
		t.Parallel()

		var zero P

		l := checked[P]{t: t, lease: open(t)}
		l.lead("a", -time.Second, true, zero)
		l.lead("b", time.Hour, true, zero)
		l.advance("a", later, false)
		l.lead("a", time.Hour, false, zero)
	})
	t.Run("only the holder resigns", func(t *testing.T) {
		t.Parallel()

		var zero P

		l := checked[P]{t: t, lease: open(t)}
		l.lead("b", time.Hour, true, zero)
		l.resign("a")
		l.lead("a", time.Hour, false, zero)
		l.advance("b", later, true)
		l.resign("b")
		l.lead("a", time.Hour, true, later)
	})
}

// checked compares what a lease returns.
type checked[P comparable] struct {
	t     *testing.T
	lease Lease[P]
}

func (c checked[P]) lead(holder string, lease time.Duration, want bool, at P) {
	c.t.Helper()

	position, leads, err := c.lease.Lead(c.t.Context(), holder, lease)
	if err != nil || leads != want || leads && position != at {
		c.t.Fatalf("Lead of %s = %v, %t, %v; want %v, %t", holder, position, leads, err, at, want)
	}
}

func (c checked[P]) advance(holder string, to P, want bool) {
	c.t.Helper()

	if leads, err := c.lease.Advance(c.t.Context(), holder, to, time.Hour); err != nil || leads != want {
		c.t.Fatalf("Advance of %s to %v = %t, %v; want %t", holder, to, leads, err, want)
	}
}

func (c checked[P]) resign(holder string) {
	c.t.Helper()

	if err := c.lease.Resign(c.t.Context(), holder); err != nil {
		c.t.Fatalf("Resign of %s = %v", holder, err)
	}
}
