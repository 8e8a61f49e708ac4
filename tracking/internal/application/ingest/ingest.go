// Package ingest (application) takes events in: it checks them, gives them ids, and writes them to
// the log together with what other requests bring at the same moment.
package ingest

import (
	"context"
	"strconv"
	"time"

	"tributary/platform/fault"
	"tributary/platform/identifier"
	"tributary/tracking/internal/domain/event"
)

// IDs makes event ids.
type IDs interface {
	// New gives an id that was never given before; later ids sort after earlier ones.
	New() (string, error)
	// Derived gives the same id for the same parts, and another for any others.
	Derived(parts ...string) string
}

// Recorder writes events to the log. The Coalescer is one.
type Recorder interface {
	// Record returns when every event is either committed or not, with one outcome for each, in
	// order; none has Failed. When that is not known of every event, or is no because of what they
	// share (the queue is full, the database is away), that is the error. Use is nil for a request
	// without a key; where the key was used before, nothing is stored and each outcome is KeyUsed.
	Record(ctx context.Context, events []event.Event, use *Use) ([]Outcome, error)
}

// Handler is the use case. It is safe for concurrent use.
type Handler struct {
	log  Recorder
	keys Keys
	ids  IDs
	now  func() time.Time
}

// New makes the handler.
func New(log Recorder, keys Keys, ids IDs, now func() time.Time) *Handler {
	return &Handler{
		log:  log,
		keys: keys,
		ids:  ids,
		now:  now,
	}
}

// Item is one event as a caller gave it. Faults are those found while reading it; they are told
// together with those of the rules.
type Item struct {
	Input  event.Input
	Faults fault.Fields
}

// Origin says where a request comes from. Key is its idempotency key, "" without one; keys belong
// to a Caller. With a key, Hash is that of operation and content.
type Origin struct {
	Caller      string
	Key         string
	Hash        [32]byte
	Traceparent string
}

// Status is what became of an accepted event.
type Status string

// The statuses.
const (
	Recorded  Status = "recorded"  // it is in the log now
	Duplicate Status = "duplicate" // the same event was in the log already
)

// Result is the answer for one item: either Err, or the others. Replayed tells that it was given
// before, to the first request with the key.
type Result struct {
	EventID    string
	Status     Status
	ReceivedAt time.Time
	Replayed   bool
	Err        error
}

// Record takes one event. The error is a fault: every fault of the event at once,
// event_id_conflict, idempotency_key_reused, or one of Recorder; it may come with a result that is
// Replayed.
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

// RecordBatch takes many events. Every item gets its own result, in order; the error is a fault of
// the whole request.
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

// batch is a request of many items that were checked.
type batch struct {
	results  []Result      // of the items that were refused
	events   []event.Event // of the others
	unique   []event.Event // those to store: the first with each id
	place    []int         // where the item's event is in unique, -1 when it was refused
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

// named is the id that a refused item gives, "" when it is none: no answer repeats what is not
// understood.
func named(item Item) string {
	id := item.Input.EventID.Value()
	if !identifier.Valid(id) {
		return ""
	}

	return id
}

// outcome is that of an item, out of those of the unique events.
func (b batch) outcome(i int, outcomes []Outcome) Outcome {
	outcome := outcomes[b.place[i]]
	if b.repeated[i] && outcome.Err == nil {
		return compare(b.events[i], outcome)
	}

	return outcome
}

// compare gives the outcome of an event whose id an earlier event has.
func compare(e event.Event, earlier Outcome) Outcome {
	earlier.State = Repeated
	if e.Hash() != earlier.Hash {
		earlier.State = Differs
	}

	return earlier
}

// alone is the position of an item that is in no batch.
const alone = -1

// accept checks an item and identifies it. Position is the item's place in a batch, or alone.
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

// judge makes the answer of an outcome. An event that has its id from a key is known by it, also
// when the key itself was forgotten.
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

// judgeAll makes the answers of a batch.
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

	return fault.New(
		fault.Conflict,
		"event_id_conflict",
		"An event with this event_id and another content is recorded already.",
	)
}
