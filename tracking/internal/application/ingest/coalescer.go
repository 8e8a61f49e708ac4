package ingest

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"tributary/platform/fault"
	"tributary/tracking/internal/domain/event"
)

// State is what the log says of an event.
type State int

// The states.
const (
	Stored   State = iota // committed now
	Repeated              // the id was there, with the same content
	Differs               // the id was there, with another content
	Refused               // the log cannot hold it: Outcome.Err says why
	Failed                // the log was not reached: Outcome.Err says what is known
	// the key that it came with was used before: nothing that came with it is stored
	KeyUsed
)

// Outcome is what became of one event. ReceivedAt and Hash are those of the event in the log.
type Outcome struct {
	State      State
	ReceivedAt time.Time
	Hash       event.Hash
	Err        error
}

// ErrRefused marks an error of a Store that lies in the content: the same events will fail again,
// fewer of them may not.
var ErrRefused = errors.New("the log refuses this content")

// Store is the log.
type Store interface {
	// Append writes all events in one commit and returns an outcome for each, in order: Stored,
	// Repeated, Differs or KeyUsed. Of several events with one id, and of several requests with one
	// key, the first is stored. It is idempotent for the same events. Errors: one that wraps
	// ErrRefused means that nothing was stored because of the content, the fault of Away that
	// nothing was stored; with any other the outcome is unknown. Trying again is safe.
	Append(ctx context.Context, events []event.Event, keyed ...Keyed) ([]Outcome, error)
}

// Keyed is a request with a key among those of a commit. Its events, from From to To, are written
// together with the use of the key or not at all.
type Keyed struct {
	Use      *Use
	From, To int
}

// Limits bound what waits and what is written together.
type Limits struct {
	Rows       int           // of one commit, and the rest of the request that reaches them
	Writers    int           // commits at the same time
	Gather     time.Duration // how long a writer waits for as many events as its last commit had
	GatherRows int           // and for how many at most
	QueueRows  int           // events that may wait
	QueueBytes int           // and their size
	Retry      time.Duration // how long an unreachable log is tried again for those who wait
}

// DefaultLimits are the measured ones.
func DefaultLimits() Limits {
	return Limits{
		Rows:       500,
		Writers:    1,
		Gather:     3 * time.Millisecond,
		GatherRows: 32,
		QueueRows:  20_000,
		QueueBytes: 32 << 20,
		Retry:      2 * time.Second,
	}
}

// Coalescer lets concurrent requests share commits. A writer takes whole requests of whatever
// waits, up to Limits.Rows, once as many wait as it wrote last or Limits.Gather is over: alone, a
// request is written at once; under load the batches grow by themselves. Run owns the writers;
// Record may be called from anywhere.
type Coalescer struct {
	limits Limits
	needs  Needs
	queue  *queue
}

var _ Recorder = (*Coalescer)(nil)

// Needs are what a coalescer works with. Stored is called after each commit, to wake the relay;
// Committed is told how many rows it had and how long it took. Neither may block.
type Needs struct {
	Store     Store
	Stored    func()
	Committed func(rows int, took time.Duration)
	Logger    *slog.Logger
	Now       func() time.Time
}

// NewCoalescer makes a coalescer; nothing is written before Run.
func NewCoalescer(limits Limits, needs Needs) *Coalescer {
	return &Coalescer{limits: limits, needs: needs, queue: newQueue(limits)}
}

// Waiting tells how many events wait to be written.
func (c *Coalescer) Waiting() int { return c.queue.rows() }

// Record queues the events and waits for their outcomes. Faults: intake_full when too much waits
// already, shutting_down at the end, database_unavailable when the log was not reached,
// outcome_unknown when some of the events may be stored and the rest is not known to be. When ctx
// ends first the events may still be stored.
func (c *Coalescer) Record(ctx context.Context, events []event.Event, use *Use) ([]Outcome, error) {
	g := newGroup(len(events), use)
	if err := c.queue.put(g, events); err != nil {
		return nil, err
	}

	select {
	case <-g.done:
		return g.result()
	case <-ctx.Done():
		return nil, Unknown(ctx.Err())
	}
}

// Run writes what is recorded until ctx ends; then it writes what still waits. It returns nil.
func (c *Coalescer) Run(ctx context.Context) error {
	var writers sync.WaitGroup
	for range c.limits.Writers {
		writers.Go(func() { c.writeAll(context.WithoutCancel(ctx)) })
	}

	<-ctx.Done()
	c.queue.close()
	writers.Wait()

	return nil
}

func (c *Coalescer) writeAll(ctx context.Context) {
	var (
		batch  []waiting
		events []event.Event
	)
	for {
		batch = c.queue.take(batch[:0])
		if len(batch) == 0 {
			return
		}

		events = events[:0]
		for _, w := range batch {
			events = append(events, w.event)
		}

		c.write(ctx, batch, events)
		clear(batch)
		clear(events)
	}
}

// write appends a batch, halving it until those that the log refuses are alone; a request with a
// key is refused as a whole.
func (c *Coalescer) write(ctx context.Context, batch []waiting, events []event.Event) {
	outcomes, err := c.appendRetrying(ctx, events, keyed(batch))
	switch {
	case err == nil:
		for i, w := range batch {
			w.settle(outcomes[i])
		}
	case errors.Is(err, ErrRefused):
		if half := middle(batch); half > 0 {
			c.write(ctx, batch[:half], events[:half])
			c.write(ctx, batch[half:], events[half:])

			return
		}

		c.needs.Logger.WarnContext(
			ctx,
			"the log refuses a request or an event",
			"event_id",
			events[0].ID(),
			"events",
			len(events),
			"error",
			err,
		)

		refusal := fault.Because(
			err,
			fault.Invalid,
			"event_refused",
			"The event holds something that cannot be stored.",
		)
		for _, w := range batch {
			w.settle(Outcome{State: Refused, Err: refusal})
		}
	default:
		for _, w := range batch {
			w.fail(err)
		}

		c.queue.failAll(Away(err)) // those who wait have waited as long
	}
}

const (
	attemptTimeout = 10 * time.Second
	firstPause     = 20 * time.Millisecond
	longestPause   = 320 * time.Millisecond
)

// appendRetrying tries an unreachable log again for Limits.Retry. Appending twice is harmless. Once
// an attempt may have stored something, that the next ones did not reach the log tells nothing: the
// outcome stays unknown.
func (c *Coalescer) appendRetrying(
	ctx context.Context,
	events []event.Event,
	keyed []Keyed,
) ([]Outcome, error) {
	deadline := c.needs.Now().Add(c.limits.Retry)
	again := false

	var unknown error
	for pause := firstPause; ; pause = min(2*pause, longestPause) {
		start := c.needs.Now()

		outcomes, err := c.appendOnce(ctx, events, keyed)
		if err == nil {
			if again {
				claim(events, outcomes)
			}

			c.needs.Committed(len(events), c.needs.Now().Sub(start))
			c.needs.Stored()

			return outcomes, nil
		}

		if errors.Is(err, ErrRefused) {
			return nil, err
		}

		if unknown == nil && !nothingStored(err) {
			unknown = err
		}

		if c.needs.Now().Add(pause).After(deadline) {
			return nil, cmp.Or(unknown, err)
		}

		timer := time.NewTimer(pause)
		<-timer.C
		again = true
	}
}

// claim finds what an earlier attempt stored before its answer got lost, or what the first request
// with a key stored: it is in the log to the microsecond of its receipt.
func claim(events []event.Event, outcomes []Outcome) {
	claimed := map[string]bool{}
	for i, e := range events {
		if outcomes[i].State == Repeated && outcomes[i].ReceivedAt.Equal(e.ReceivedAt()) &&
			!claimed[e.ID()] {
			claimed[e.ID()] = true
			outcomes[i].State = Stored
		}
	}
}

func (c *Coalescer) appendOnce(
	ctx context.Context,
	events []event.Event,
	keyed []Keyed,
) ([]Outcome, error) {
	ctx, cancel := context.WithTimeout(ctx, attemptTimeout)
	defer cancel()

	return c.needs.Store.Append(ctx, events, keyed...)
}

// nothingStored tells whether an error says that nothing was stored.
func nothingStored(err error) bool { return fault.Is(err, "database_unavailable") }

// Unknown is the fault for a log that was asked and did not answer.
func Unknown(cause error) error {
	return fault.RetryIn(
		time.Second,
		"outcome_unknown",
		"The event may be recorded or not. Send it again with the same event_id or "+
			"Idempotency-Key; it counts once.",
		cause,
	)
}

// Away is the fault for a log that was not reached.
func Away(cause error) error {
	return fault.RetryIn(
		time.Second,
		"database_unavailable",
		"The database does not answer; nothing was stored by this request.",
		cause,
	)
}
