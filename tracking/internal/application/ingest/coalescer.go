// Package ingest (application) is the machinery behind the commands: a queue of events, and writers
// that let concurrent requests share commits.
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

// State is the outcome of writing an event.
type State int

const (
	Stored   State = iota // committed now
	Repeated              // the id was in the log, with the same content
	Differs               // the id was in the log, with other content
	Refused               // the log cannot store it; see Outcome.Err
	Failed                // the log was not reached; Outcome.Err says what is known
	// KeyUsed means that the request's key was used before: none of its events is stored.
	KeyUsed
)

// Outcome is the result of writing one event. ReceivedAt and Hash are those of the event in the
// log.
type Outcome struct {
	State      State
	ReceivedAt time.Time
	Hash       event.Hash
	Err        error
}

// ErrRefused is wrapped by errors of a Store that are caused by the content: the same events fail
// again, but some of them alone may succeed.
var ErrRefused = errors.New("the log refuses this content")

// Store is the log.
type Store interface {
	// Append writes all events in one commit and returns an outcome for each, in order: Stored,
	// Repeated, Differs or KeyUsed. Of several events with one id, and of several requests with one
	// key, the first is stored. Append is idempotent for the same events. An error that wraps
	// ErrRefused means that nothing was stored because of the content, and the fault of Away that
	// nothing was stored; after any other error the outcome is unknown. A retry is safe.
	Append(ctx context.Context, events []event.Event, keyed ...Keyed) ([]Outcome, error)
}

// Keyed is a request with a key in a commit. Its events, from From to To, and the use of the key
// are written together or not at all.
type Keyed struct {
	Use      *Use
	From, To int
}

// Limits bounds the queue and the commits.
type Limits struct {
	Rows       int           // of one commit, beside the rest of the request that reaches the limit
	Writers    int           // concurrent commits
	Gather     time.Duration // how long a writer waits for as many events as its last commit had
	GatherRows int           // the largest number of events that it waits for
	QueueRows  int           // events that may wait
	QueueBytes int           // the total size of waiting events
	Retry      time.Duration // how long an unreachable log is retried before its events fail
}

// DefaultLimits returns the limits found by measurement.
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

// Coalescer lets concurrent requests share commits. A writer takes whole waiting requests, up to
// Limits.Rows, once as many events wait as it wrote last or Limits.Gather has passed. A single
// request is written at once; under load the batches grow. Run owns the writers; Record is safe for
// concurrent use.
type Coalescer struct {
	limits Limits
	deps   Dependencies
	queue  *queue
}

// Dependencies are what a Coalescer uses. Stored is called after each commit, to wake the relay,
// and Committed with the number of rows and the duration of each commit. Neither may block.
type Dependencies struct {
	Store     Store
	Stored    func()
	Committed func(rows int, took time.Duration)
	Logger    *slog.Logger
	Now       func() time.Time
}

// NewCoalescer returns a Coalescer. Nothing is written before Run.
func NewCoalescer(limits Limits, deps Dependencies) *Coalescer {
	return &Coalescer{limits: limits, deps: deps, queue: newQueue(limits)}
}

// Waiting returns the number of events that wait to be written.
func (c *Coalescer) Waiting() int { return c.queue.rows() }

// Record queues the events and waits for their outcomes. ErrFull is returned if the queue
// is full, shutting_down if the service is stopping, database_unavailable if the log was not
// reached, and outcome_unknown if some of the events may be stored and the outcome of the rest is
// unknown. If ctx ends first the events may still be stored.
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

// Run writes queued events until ctx ends, and then those that remain. It returns nil.
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

// write appends a batch. If the log refuses it, write halves the batch until the refused events are
// alone; a request with a key is refused as a whole.
func (c *Coalescer) write(ctx context.Context, batch []waiting, events []event.Event) {
	outcomes, err := c.appendRetrying(ctx, events, keyed(batch))
	switch {
	case err == nil:
		for i, w := range batch {
			w.resolve(outcomes[i])
		}
	case errors.Is(err, ErrRefused):
		if half := middle(batch); half > 0 {
			c.write(ctx, batch[:half], events[:half])
			c.write(ctx, batch[half:], events[half:])

			return
		}

		c.deps.Logger.WarnContext(
			ctx,
			"the log refuses a request or an event",
			"event_id",
			events[0].ID(),
			"events",
			len(events),
			"error",
			err,
		)

		refusal := ErrContent.Because(err, "The event contains a value that cannot be stored.")
		for _, w := range batch {
			w.resolve(Outcome{State: Refused, Err: refusal})
		}
	default:
		for _, w := range batch {
			w.fail(err)
		}

		c.queue.failAll(Away(err)) // the others have waited as long
	}
}

const (
	attemptTimeout = 10 * time.Second
	firstPause     = 20 * time.Millisecond
	longestPause   = 320 * time.Millisecond
)

// appendRetrying retries an unreachable log for Limits.Retry. Appending twice is harmless. Once an
// attempt may have stored something, later attempts that do not reach the log prove nothing: the
// outcome stays unknown.
func (c *Coalescer) appendRetrying(
	ctx context.Context,
	events []event.Event,
	keyed []Keyed,
) ([]Outcome, error) {
	deadline := c.deps.Now().Add(c.limits.Retry)
	again := false

	var unknown error
	for pause := firstPause; ; pause = min(2*pause, longestPause) {
		start := c.deps.Now()

		outcomes, err := c.appendOnce(ctx, events, keyed)
		if err == nil {
			if again {
				Claim(events, outcomes)
			}

			c.deps.Committed(len(events), c.deps.Now().Sub(start))
			c.deps.Stored()

			return outcomes, nil
		}

		if errors.Is(err, ErrRefused) {
			return nil, err
		}

		if unknown == nil && !nothingStored(err) {
			unknown = err
		}

		if c.deps.Now().Add(pause).After(deadline) {
			return nil, cmp.Or(unknown, err)
		}

		timer := time.NewTimer(pause)
		<-timer.C
		again = true
	}
}

// Claim marks as Stored what an earlier attempt stored before its answer was lost, or what the
// first request with the key stored: the log has it with exactly the same time of receipt.
func Claim(events []event.Event, outcomes []Outcome) {
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

	return c.deps.Store.Append(ctx, events, keyed...)
}

// nothingStored reports whether err means that nothing was stored.
func nothingStored(err error) bool { return errors.Is(err, fault.ErrDatabase) }

// Unknown returns the fault for a log that did not answer a statement.
func Unknown(cause error) error {
	return ErrUnknown.Because(
		cause,
		"The event may or may not be recorded. Send it again with the same event_id or "+
			"Idempotency-Key: it is counted once.",
	).RetryIn(time.Second)
}

// Away returns the fault for a log that was not reached.
func Away(cause error) error {
	return fault.ErrDatabase.
		Because(cause, "The database does not answer; nothing was stored by this request.").
		RetryIn(time.Second)
}
