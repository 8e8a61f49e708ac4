// Package relay publishes a log: every entry after it is committed, in the order of the log, at
// least once. It knows neither what an entry says nor how a position is stored; the log and the
// publisher of a service are its ports. Every replica runs a Relay; the one that holds the lease
// works.
package relay

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"time"
)

// Limits configures the timing and the size of the relay's work.
type Limits struct {
	Lease    time.Duration // how long a silent holder keeps the lease
	Standby  time.Duration // between attempts to take the lease
	Save     time.Duration // between saves of the position
	SaveRows int64         // or after so many confirmed entries
	Poll     time.Duration // between reads of the log without a signal
	// Pause after a page that was not full: until GatherRows entries are there at the present rate,
	// between these two. A page costs the broker a batch of each partition, and a consumer a
	// transaction, however few entries it has.
	GatherLeast time.Duration
	GatherMost  time.Duration
	GatherRows  int
	// And for twice as long as the broker took to confirm the page before, up to this: what is busy
	// gets fewer and larger pages.
	GatherBusy  time.Duration
	Rest        time.Duration // pause after each page while something more urgent is behind
	PageRows    int
	WindowRows  int // sent but not confirmed
	WindowBytes int
	// Without a confirmation for so long while entries are sent, the term is restarted.
	Stuck time.Duration
}

// DefaultLimits returns the limits found by measurement. A killed holder is replaced within Lease +
// Standby.
func DefaultLimits() Limits {
	return Limits{
		Lease:       3 * time.Second,
		Standby:     500 * time.Millisecond,
		Save:        200 * time.Millisecond,
		SaveRows:    5000,
		Poll:        100 * time.Millisecond,
		GatherLeast: 40 * time.Millisecond,
		GatherMost:  80 * time.Millisecond,
		GatherRows:  200,
		GatherBusy:  160 * time.Millisecond,
		Rest:        500 * time.Millisecond,
		PageRows:    1000,
		WindowRows:  8000,
		WindowBytes: 16 << 20,
		Stuck:       45 * time.Second,
	}
}

// gather returns the pause after a page whose entries came within a time, while the broker takes
// another to confirm a page.
func (l Limits) gather(entries int, within, confirmed time.Duration) time.Duration {
	rate := within / time.Duration(entries) * time.Duration(l.GatherRows)
	pause := min(max(rate, l.GatherLeast), l.GatherMost)

	return max(pause, min(2*confirmed, l.GatherBusy))
}

// Dependencies are what a Relay works with. Holder is the unique name of this replica. Compare
// orders positions as cmp.Compare does. Behind, if it is not nil, reports whether something that is
// more urgent than the relay is behind with its work.
type Dependencies[P comparable, E Entry[P]] struct {
	Log       Log[P, E]
	Publisher Publisher[E]
	Compare   func(a, b P) int
	Behind    func() bool
	Holder    string
	Logger    *slog.Logger
	Now       func() time.Time
}

// Relay publishes a log. Run owns its goroutines.
type Relay[P comparable, E Entry[P]] struct {
	limits Limits
	deps   Dependencies[P, E]
	wake   chan struct{}

	leading  atomic.Bool
	position atomic.Pointer[P]
	sent     atomic.Int64
	trouble  atomic.Pointer[error]
	refusal  atomic.Pointer[refusal[P]]
}

// New returns a relay, which works while Run runs.
func New[P comparable, E Entry[P]](limits Limits, deps Dependencies[P, E]) *Relay[P, E] {
	r := &Relay[P, E]{limits: limits, deps: deps, wake: make(chan struct{}, 1)}
	r.position.Store(new(P))

	return r
}

// Wake signals that something was committed. It does not block.
func (r *Relay[P, E]) Wake() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// Status is the state of a relay.
type Status[P comparable] struct {
	Leading  bool
	Position P     // everything up to here is confirmed by the broker
	InFlight int64 // sent but not confirmed
	// Refused is the position of the entry that the broker refuses and that blocks all others, or
	// the zero position.
	Refused P
	Trouble error // why the last term ended; nil if the current one has no error
}

func (r *Relay[P, E]) Status() Status[P] {
	s := Status[P]{
		Leading:  r.leading.Load(),
		Position: *r.position.Load(),
		InFlight: r.sent.Load(),
	}
	if trouble := r.trouble.Load(); trouble != nil {
		s.Trouble = *trouble
	}

	if refusal := r.refusal.Load(); refusal != nil {
		s.Refused = refusal.position
	}

	return s
}

var (
	errDeposed = errors.New("another replica holds the lease")
	errStuck   = errors.New("the broker confirms nothing")
)

const longestPause = time.Second

// Run relays while this replica holds the lease, until ctx ends. It then waits for the sent
// entries, saves the position and resigns. It returns nil: every error is retried.
func (r *Relay[P, E]) Run(ctx context.Context) error {
	pause := time.Duration(0)
	for ctx.Err() == nil {
		position, leads, err := r.deps.Log.Lead(ctx, r.deps.Holder, r.limits.Lease)
		switch {
		case err != nil:
			r.note(ctx, "the relay cannot read its lease", err)
			pause = r.limits.Standby
		case !leads:
			r.refusal.Store(nil)
			r.trouble.Store(nil)
			pause = r.limits.Standby
		default:
			pause = r.lead(ctx, position, pause)
		}

		wait(ctx, pause)
	}

	return r.resign(ctx)
}

// lead runs one term and returns the pause before the next attempt.
func (r *Relay[P, E]) lead(ctx context.Context, position P, last time.Duration) time.Duration {
	if r.trouble.Load() == nil {
		r.deps.Logger.InfoContext(ctx, "relaying", "position", position)
	}

	start := r.deps.Now()
	r.leading.Store(true)
	err := newTerm(r, position).run(ctx)
	r.leading.Store(false)
	r.sent.Store(0)

	switch {
	case ctx.Err() != nil:
		return 0
	case errors.Is(err, errDeposed):
		r.deps.Logger.InfoContext(ctx, "another replica holds the lease now")
		return r.limits.Standby
	}

	var refused *refusal[P]
	if errors.As(err, &refused) {
		r.refuse(ctx, refused)
		return longestPause
	}

	r.note(ctx, "relaying stopped; will retry", err)

	if r.deps.Now().Sub(start) > longestPause {
		last = 0
	}

	return min(max(2*last, 50*time.Millisecond), longestPause)
}

// note logs a trouble once, not at every attempt.
func (r *Relay[P, E]) note(ctx context.Context, what string, err error) {
	if ctx.Err() == nil && r.trouble.Swap(&err) == nil {
		r.deps.Logger.WarnContext(ctx, what, "error", err)
	}
}

func (r *Relay[P, E]) resign(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), r.limits.Lease)
	defer cancel()

	if err := r.deps.Log.Resign(ctx, r.deps.Holder); err != nil {
		r.deps.Logger.WarnContext(ctx, "cannot release the lease; it will expire", "error", err)
	}

	return nil
}

// wait sleeps for d or until ctx ends.
func wait(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()

	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
