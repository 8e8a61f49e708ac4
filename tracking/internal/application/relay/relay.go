// Package relay (application) publishes the log: every event after it is committed, in the order of
// the log, at least once. Every replica runs a Relay; the one that holds the lease works.
package relay

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"tributary/tracking/internal/domain/event"
)

// Log is the log and the row that holds position and lease.
type Log interface {
	// Lead takes or renews the lease for the holder, for the duration from now by the database's
	// clock, and returns the position up to which everything is published. The bool is false if
	// another holder has the lease.
	Lead(
		ctx context.Context,
		holder string,
		lease time.Duration,
	) (position int64, leads bool, err error)
	// Advance saves the position, which never decreases, and renews the lease in one atomic
	// statement. The bool is false, and nothing is saved, if another holder has the lease.
	Advance(
		ctx context.Context,
		holder string,
		position int64,
		lease time.Duration,
	) (leads bool, err error)
	// Resign releases the lease if the holder has it.
	Resign(ctx context.Context, holder string) error
	// Page returns up to limit events after the position, in order, fewer if they are large, and no
	// events at the end of the log.
	Page(ctx context.Context, position int64, limit int) ([]event.Entry, error)
}

// Publisher sends events to the broker.
type Publisher interface {
	// Send hands an event over without blocking and calls done exactly once, with nil if the broker
	// has stored it. done may run on any goroutine. Events of one user that are sent in order are
	// stored in order, even across an outage. The fault broker_unavailable before Send returns
	// means that the event was not accepted; it may be sent again. The fault message_refused means
	// that it is not stored and will be refused again. After any other error the outcome is
	// unknown.
	Send(ctx context.Context, entry event.Entry, done func(error))
}

// Limits configures the timing and the size of the relay's work.
type Limits struct {
	Lease    time.Duration // how long a silent holder keeps the lease
	Standby  time.Duration // between attempts to take the lease
	Save     time.Duration // between saves of the position
	SaveRows int64         // or after so many confirmed events
	Poll     time.Duration // between reads of the log without a signal
	// Pause after a page that was not full. At 10 ms the broker spent as much CPU time on an event
	// as the database.
	Gather      time.Duration
	PageRows    int
	WindowRows  int // sent but not confirmed
	WindowBytes int
	// Without a confirmation for so long while events are sent, the term is restarted.
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
		Gather:      40 * time.Millisecond,
		PageRows:    1000,
		WindowRows:  8000,
		WindowBytes: 16 << 20,
		Stuck:       45 * time.Second,
	}
}

// Needs are the dependencies of a Relay. Holder is the unique name of this replica.
type Needs struct {
	Log       Log
	Publisher Publisher
	Holder    string
	Logger    *slog.Logger
	Now       func() time.Time
}

// Relay publishes the log. Run owns its goroutines.
type Relay struct {
	limits Limits
	needs  Needs
	wake   chan struct{}

	leading  atomic.Bool
	position atomic.Int64
	sent     atomic.Int64
	trouble  atomic.Pointer[error]
	refusal  atomic.Pointer[refusal]
}

func New(limits Limits, needs Needs) *Relay {
	return &Relay{limits: limits, needs: needs, wake: make(chan struct{}, 1)}
}

// Wake signals that something was committed. It does not block.
func (r *Relay) Wake() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// Status is the state of a relay.
type Status struct {
	Leading  bool
	Position int64 // everything up to here is confirmed by the broker
	InFlight int64 // sent but not confirmed
	// Refused is the sequence number of the event that the broker refuses and that blocks all
	// others, or 0.
	Refused int64
	Trouble error // why the last term ended; nil if the current one has no error
}

func (r *Relay) Status() Status {
	s := Status{Leading: r.leading.Load(), Position: r.position.Load(), InFlight: r.sent.Load()}
	if trouble := r.trouble.Load(); trouble != nil {
		s.Trouble = *trouble
	}

	if refusal := r.refusal.Load(); refusal != nil {
		s.Refused = refusal.seq
	}

	return s
}

var (
	errDeposed = errors.New("another replica holds the lease")
	errStuck   = errors.New("the broker confirms nothing")
)

const longestPause = time.Second

// Run relays while this replica holds the lease, until ctx ends. It then waits for the sent events,
// saves the position and resigns. It returns nil: every error is retried.
func (r *Relay) Run(ctx context.Context) error {
	pause := time.Duration(0)
	for ctx.Err() == nil {
		position, leads, err := r.needs.Log.Lead(ctx, r.needs.Holder, r.limits.Lease)
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
func (r *Relay) lead(ctx context.Context, position int64, last time.Duration) time.Duration {
	if r.trouble.Load() == nil {
		r.needs.Logger.InfoContext(ctx, "relaying", "position", position)
	}

	start := r.needs.Now()
	r.leading.Store(true)
	err := newTerm(r, position).run(ctx)
	r.leading.Store(false)
	r.sent.Store(0)

	switch {
	case ctx.Err() != nil:
		return 0
	case errors.Is(err, errDeposed):
		r.needs.Logger.InfoContext(ctx, "another replica holds the lease now")
		return r.limits.Standby
	}

	var refused *refusal
	if errors.As(err, &refused) {
		r.refuse(ctx, refused)
		return longestPause
	}

	r.note(ctx, "relaying stopped; will retry", err)

	if r.needs.Now().Sub(start) > longestPause {
		last = 0
	}

	return min(max(2*last, 50*time.Millisecond), longestPause)
}

// note logs a trouble once, not at every attempt.
func (r *Relay) note(ctx context.Context, what string, err error) {
	if ctx.Err() == nil && r.trouble.Swap(&err) == nil {
		r.needs.Logger.WarnContext(ctx, what, "error", err)
	}
}

// refusal is returned for an event that the broker never accepts as it is. It must not be skipped,
// so all others wait for it.
type refusal struct {
	seq   int64
	id    string
	cause error
}

func (r *refusal) Error() string {
	return fmt.Sprintf(
		"the broker refuses the event with sequence number %d, and all later events wait: raise "+
			"the broker's limit for the size of a message (maxMessageSize): %v",
		r.seq,
		r.cause,
	)
}

// refuse records a refusal and logs it once.
func (r *Relay) refuse(ctx context.Context, refused *refusal) {
	if known := r.refusal.Swap(refused); known == nil || known.seq != refused.seq {
		r.needs.Logger.ErrorContext(
			ctx,
			"the broker refuses an event; nothing is published until it accepts the event",
			"seq",
			refused.seq,
			"event_id",
			refused.id,
			"error",
			refused,
		)
	}

	r.trouble.Store(new(error(refused)))
}

// calm clears the trouble once the current term has passed the refused event.
func (r *Relay) calm(position int64) {
	if refused := r.refusal.Load(); refused != nil && position < refused.seq {
		return
	}

	r.refusal.Store(nil)
	r.trouble.Store(nil)
}

func (r *Relay) resign(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), r.limits.Lease)
	defer cancel()

	if err := r.needs.Log.Resign(ctx, r.needs.Holder); err != nil {
		r.needs.Logger.WarnContext(ctx, "cannot release the lease; it will expire", "error", err)
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
