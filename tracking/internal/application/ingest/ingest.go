// Package ingest (application) takes events in: it checks them, gives them ids, and writes them to the log together with what
// other requests bring at the same moment.
package ingest

import (
	"context"
	"strconv"
	"time"

	"tributary/platform/fault"
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
	// Record returns when every event is either committed or not, with one outcome for each, in order; none has Failed. When that is
	// not known of every event, or is no because of what they share (the queue is full, the database is away), that is the error.
	Record(ctx context.Context, events []event.Event) ([]Outcome, error)
}

// Handler is the use case. It is safe for concurrent use.
type Handler struct {
	log Recorder
	ids IDs
	now func() time.Time
}

// New makes the handler.
func New(log Recorder, ids IDs, now func() time.Time) *Handler {
	return &Handler{log: log, ids: ids, now: now}
}

// Item is one event as a caller gave it. Faults are those found while reading it; they are told together with those of the rules.
type Item struct {
	Input  event.Input
	Faults fault.Fields
}

// Origin says where a request comes from. Key is its idempotency key, "" without one; keys belong to a Caller.
type Origin struct {
	Caller      string
	Key         string
	Traceparent string
}

// Status is what became of an accepted event.
type Status string

// The statuses.
const (
	Recorded  Status = "recorded"  // it is in the log now
	Duplicate Status = "duplicate" // the same event was in the log already
)

// Result is the answer for one item: either Err, or the others. Replayed tells that an idempotency key found its first answer again.
type Result struct {
	EventID    string
	Status     Status
	ReceivedAt time.Time
	Replayed   bool
	Err        error
}

// Record takes one event. The error is a fault: every fault of the event at once, event_id_conflict, idempotency_key_reused, or
// one of Recorder.
func (h *Handler) Record(ctx context.Context, from Origin, item Item) (Result, error) {
	if err := checkKey(from.Key); err != nil {
		return Result{}, err
	}
	e, err := h.accept(from, item, h.now(), -1)
	if err != nil {
		return Result{}, err
	}
	outcomes, err := h.log.Record(ctx, []event.Event{e})
	if err != nil {
		return Result{}, err
	}
	result := h.judge(from, item, e, outcomes[0])
	return result, result.Err
}

// RecordBatch takes many events. Every item gets its own result, in order; the error is a fault of the whole request.
func (h *Handler) RecordBatch(ctx context.Context, from Origin, items []Item) ([]Result, error) {
	if err := checkKey(from.Key); err != nil {
		return nil, err
	}
	now := h.now()
	results := make([]Result, len(items))
	unique := make([]event.Event, 0, len(items))
	place := make([]int, len(items))          // where the item's event is in unique, -1 when it was refused
	first := make(map[string]int, len(items)) // the first item of each id
	repeated := make([]bool, len(items))      // whether the item repeats the id of an earlier one
	events := make([]event.Event, len(items))
	for i, item := range items {
		e, err := h.accept(from, item, now, i)
		if err != nil {
			results[i], place[i] = Result{EventID: item.Input.EventID.Value(), Err: err}, -1
			continue
		}
		events[i] = e
		if at, ok := first[e.ID()]; ok {
			place[i], repeated[i] = place[at], true
			continue
		}
		first[e.ID()], place[i] = i, len(unique)
		unique = append(unique, e)
	}
	if len(unique) == 0 {
		return results, nil
	}
	outcomes, err := h.log.Record(ctx, unique)
	if err != nil {
		return nil, err
	}
	for i, item := range items {
		if place[i] < 0 {
			continue
		}
		outcome := outcomes[place[i]]
		if repeated[i] && outcome.Err == nil {
			outcome = compare(events[i], outcome)
		}
		results[i] = h.judge(from, item, events[i], outcome)
	}
	return results, nil
}

// compare gives the outcome of an event whose id an earlier event has.
func compare(e event.Event, earlier Outcome) Outcome {
	earlier.State = Repeated
	if e.Hash() != earlier.Hash {
		earlier.State = Differs
	}
	return earlier
}

// accept checks an item and identifies it. Position is the item's place in a batch, negative outside of one.
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
	case position < 0:
		return h.ids.Derived(from.Caller, from.Key), nil
	}
	return h.ids.Derived(from.Caller, from.Key, strconv.Itoa(position)), nil
}

// judge makes the answer of an outcome. Behind a key that made the id, a repetition is the first answer again.
func (*Handler) judge(from Origin, item Item, e event.Event, outcome Outcome) Result {
	derived := from.Key != "" && !item.Input.EventID.IsGiven()
	result := Result{EventID: e.ID(), ReceivedAt: outcome.ReceivedAt}
	switch outcome.State {
	case Stored:
		result.Status = Recorded
	case Repeated:
		result.Status = Duplicate
		if from.Key != "" {
			result.Status, result.Replayed = Recorded, true
		}
	case Differs:
		result.Err = conflict(derived)
	case Refused, Failed:
		result.Err = outcome.Err
	}
	return result
}

func conflict(derived bool) error {
	if derived {
		return fault.New(fault.Invalid, "idempotency_key_reused", "This Idempotency-Key has come before with another content.")
	}
	return fault.New(fault.Conflict, "event_id_conflict", "An event with this event_id and another content is recorded already.")
}

const maxKey = 255

// checkKey refuses what is no header value of 1 to 255 printable ASCII characters; "" means that there is none.
func checkKey(key string) error {
	bad := len(key) > maxKey
	for i := range len(key) {
		bad = bad || key[i] < ' ' || key[i] > '~'
	}
	if !bad {
		return nil
	}
	var faults fault.Fields
	faults.Add("Idempotency-Key", "invalid_value", "must be 1 to 255 printable ASCII characters")
	return faults.Err()
}
