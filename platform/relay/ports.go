package relay

import (
	"context"
	"time"
)

// Entry is a row of a log. P is the type of its position, which the relay only compares and saves.
type Entry[P comparable] interface {
	Position() P
	ID() string // names the entry in a log line
	Size() int  // the bytes that it occupies while it is in flight, about
}

// Log is a log and the row that holds position and lease. Its zero position is before the first
// entry.
type Log[P comparable, E Entry[P]] interface {
	// Lead takes or renews the lease for the holder, for the duration from now by the database's
	// clock, and returns the position up to which everything is published. The bool is false if
	// another holder has the lease.
	Lead(ctx context.Context, holder string, lease time.Duration) (position P, leads bool, err error)
	// Advance saves the position, which never decreases, and renews the lease in one atomic
	// statement. The bool is false, and nothing is saved, if another holder has the lease.
	Advance(ctx context.Context, holder string, position P, lease time.Duration) (leads bool, err error)
	// Resign releases the lease if the holder has it.
	Resign(ctx context.Context, holder string) error
	// Read returns up to limit entries after the position, in order, fewer if they are large, and
	// none at the end of the log. An entry that becomes visible later must be behind all that were
	// returned.
	Read(ctx context.Context, after P, limit int) ([]E, error)
}

// Publisher sends entries to the broker.
type Publisher[E any] interface {
	// Send hands an entry over without blocking and calls done exactly once, with nil if the broker
	// has stored it. done may run on any goroutine. Entries of one key that are sent in order are
	// stored in order, even across an outage. broker.ErrUnavailable before Send returns means that
	// the entry was not accepted; it may be sent again. broker.ErrRefused means that it is not
	// stored and will be refused again. After any other error the outcome is unknown.
	Send(ctx context.Context, entry E, done func(error))
}
