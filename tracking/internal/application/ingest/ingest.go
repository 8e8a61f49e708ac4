// Package ingest (application) records events: it checks them, assigns ids, and writes them to the
// log together with those of concurrent requests.
package ingest

import (
	"context"
	"strconv"
	"time"

	"tributary/platform/fault"
	"tributary/platform/identifier"
	"tributary/tracking/internal/domain/event"
)

// IDs creates event ids.
type IDs interface {
	// New returns a unique id. Later ids sort after earlier ones.
	New() (string, error)
	// Derived returns the same id for the same parts, and different ids for different parts.
	Derived(parts ...string) string
}

// Recorder writes events to the log. Coalescer is a Recorder.
type Recorder interface {
	// Record returns when the outcome of every event is known, with one outcome for each, in order;
	// no outcome is Failed. If the outcome of any event is unknown, or the batch failed as a whole
	// (the queue is full, the database is unavailable), Record returns an error. use is nil for a
	// request without a key; if the key was used before, nothing is stored and each outcome is
	// KeyUsed.
	Record(ctx context.Context, events []event.Event, use *Use) ([]Outcome, error)
}

// Handler records events. It is safe for concurrent use.
type Handler struct {
	log  Recorder
	keys Keys
	ids  IDs
	now  func() time.Time
}

func New(log Recorder, keys Keys, ids IDs, now func() time.Time) *Handler {
	return &Handler{
		log:  log,
		keys: keys,
		ids:  ids,
		now:  now,
	}
}

// Item is an event as a caller sent it. Faults are those found while reading it; they are returned
// together with those of the rules.
type Item struct {
	Input  event.Input
	Faults fault.Fields
}

// Origin describes a request. Key is its idempotency key, or "" without one; keys belong to a
// Caller. With a key, Hash is the hash of operation and content.
type Origin struct {
	Caller      string
	Key         string
	Hash        [32]byte
	Traceparent string
}

// Status is the outcome of an accepted event.
type Status string

// Statuses of an accepted event.
const (
	Recorded  Status = "recorded"  // the event was added to the log
	Duplicate Status = "duplicate" // the log had the same event already
)

// Result is the answer for one item: either Err, or the other fields. Replayed reports that the
// answer was sent before, to the first request with the key.
type Result struct {
	EventID    string
	Status     Status
	ReceivedAt time.Time
	Replayed   bool
	Err        error
}

// Record records one event. The error is a fault: every fault of the event together,
// event_id_conflict, idempotency_key_reused, or one of Recorder. With an error, Replayed of the
// result may be set.
func (h *Handler) Record(ctx context.Context, from Origin, item Item) (Result, error) {
	if err := checkKey(from.Key); err != nil {
		return Result{}, err
	}

	e, err := h.accept(from, item, h.now(), alone)
	if err != nil {
		return Result{}, err
	}

	outcomes, err := h.log.Record(ctx, []event.Event{e}, from.use(e.ReceivedAt()))
	if err != nil {
		return Result{}, err
	}

	if outcomes[0].State == KeyUsed {
		return h.replay(ctx, from, item)
	}

	result := h.judge(from, item, e, outcomes[0])

	return result, result.Err
}

// RecordBatch records several events. It returns a result for each item, in order; the error is a
// fault of the whole request.
func (h *Handler) RecordBatch(ctx context.Context, from Origin, items []Item) ([]Result, error) {
	if err := checkKey(from.Key); err != nil {
		return nil, err
	}

	b := h.acceptAll(from, items, h.now())
	if len(b.unique) == 0 {
		if from.Key == "" {
			return b.results, nil
		}

		_, _, err := h.first(ctx, from)

		return b.results, err
	}

	outcomes, err := h.log.Record(ctx, b.unique, from.use(b.unique[0].ReceivedAt()))
	if err != nil {
		return nil, err
	}

	if outcomes[0].State == KeyUsed {
		return h.replayBatch(ctx, from, items)
	}

	return h.judgeAll(from, items, b, outcomes), nil
}

// batch is a checked request of several items.
type batch struct {
	results  []Result      // of the refused items
	events   []event.Event // of the accepted items
	unique   []event.Event // the events to store: the first with each id
	place    []int         // index of the item's event in unique, -1 if the item was refused
	repeated []bool        // whether the item repeats the id of an earlier one
}

func (h *Handler) acceptAll(from Origin, items []Item, now time.Time) batch {
	b := batch{
		results:  make([]Result, len(items)),
		events:   make([]event.Event, len(items)),
		unique:   make([]event.Event, 0, len(items)),
		place:    make([]int, len(items)),
		repeated: make([]bool, len(items)),
	}

	first := make(map[string]int, len(items)) // the first item of each id
	for i, item := range items {
		e, err := h.accept(from, item, now, i)
		if err != nil {
			b.results[i], b.place[i] = Result{EventID: named(item), Err: err}, -1
			continue
		}

		b.events[i] = e
		if at, ok := first[e.ID()]; ok {
			b.place[i], b.repeated[i] = b.place[at], true
			continue
		}

		first[e.ID()], b.place[i] = i, len(b.unique)
		b.unique = append(b.unique, e)
	}

	return b
}

// named returns the id of a refused item, or "" if it is not a valid id: an answer never repeats
// invalid input.
func named(item Item) string {
	id := item.Input.EventID.Value()
	if !identifier.Valid(id) {
		return ""
	}

	return id
}

// outcome returns the outcome of item i, given those of the unique events.
func (b batch) outcome(i int, outcomes []Outcome) Outcome {
	outcome := outcomes[b.place[i]]
	if b.repeated[i] && outcome.Err == nil {
		return compare(b.events[i], outcome)
	}

	return outcome
}

// compare returns the outcome of an event that has the id of an earlier event.
func compare(e event.Event, earlier Outcome) Outcome {
	earlier.State = Repeated
	if e.Hash() != earlier.Hash {
		earlier.State = Differs
	}

	return earlier
}

// alone is the position of an item that is not part of a batch.
const alone = -1

// accept checks an item and assigns its id. position is the item's place in a batch, or alone.
func (h *Handler) accept(from Origin, item Item, now time.Time, position int) (event.Event, error) {
	receipt := event.Receipt{At: now, Traceparent: from.Traceparent}
	if !item.Input.EventID.IsGiven() {
		id, err := h.identify(from, position)
		if err != nil {
			return event.Event{}, err
		}

		receipt.ID = id
	}

	e, faults := event.New(item.Input, receipt)

	return e, append(item.Faults, faults...).Err()
}

func (h *Handler) identify(from Origin, position int) (string, error) {
	switch {
	case from.Key == "":
		return h.ids.New()
	case position == alone:
		return h.ids.Derived(from.Caller, from.Key), nil
	}

	return h.ids.Derived(from.Caller, from.Key, strconv.Itoa(position)), nil
}

// judge returns the result for an outcome. An event whose id is derived from a key is recognized by
// the id even after the key was deleted.
func (*Handler) judge(from Origin, item Item, e event.Event, outcome Outcome) Result {
	derived := from.Key != "" && !item.Input.EventID.IsGiven()

	result := Result{EventID: e.ID(), ReceivedAt: outcome.ReceivedAt}
	switch outcome.State {
	case Stored:
		result.Status = Recorded
	case Repeated:
		result.Status = Duplicate
		if derived {
			result.Status, result.Replayed = Recorded, true
		}
	case Differs:
		result.Err = conflict(derived)
	case Refused, Failed, KeyUsed:
		result.Err = outcome.Err
	}

	return result
}

// judgeAll returns the results of a batch.
func (h *Handler) judgeAll(from Origin, items []Item, b batch, outcomes []Outcome) []Result {
	for i, item := range items {
		if b.place[i] >= 0 {
			b.results[i] = h.judge(from, item, b.events[i], b.outcome(i, outcomes))
		}
	}

	return b.results
}

func conflict(derived bool) error {
	if derived {
		return keyReused()
	}

	return ErrConflict.New(
		"An event with this event_id and other content is already recorded.",
	)
}
