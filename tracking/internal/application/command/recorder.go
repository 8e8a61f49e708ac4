// Package command (application) records events: a file for one event and a file for several. It
// checks them and assigns ids; package ingest writes them to the log together with those of
// concurrent requests.
package command

import (
	"context"
	"strconv"
	"time"

	"tributary/platform/fault"
	"tributary/tracking/internal/application/ingest"
	"tributary/tracking/internal/domain/event"
)

// IDs creates event ids.
type IDs interface {
	// New returns a unique id. Later ids sort after earlier ones.
	New() (string, error)
	// Derived returns the same id for the same parts, and different ids for different parts.
	Derived(parts ...string) string
}

// Recorder writes events to the log, as ingest.Coalescer does.
type Recorder interface {
	// Record returns when the outcome of every event is known, with one outcome for each, in order;
	// no outcome is Failed. If the outcome of any event is unknown, or the batch failed as a whole
	// (the queue is full, the database is unavailable), Record returns an error. use is nil for a
	// request without a key; if the key was used before, nothing is stored and each outcome is
	// KeyUsed.
	Record(ctx context.Context, events []event.Event, use *ingest.Use) ([]ingest.Outcome, error)
}

var _ Recorder = (*ingest.Coalescer)(nil)

// Handler records events. It is safe for concurrent use.
type Handler struct {
	log  Recorder
	keys Keys
	ids  IDs
	now  func() time.Time
}

// New returns a handler.
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

// resultOf returns the result for an outcome. An event whose id is derived from a key is recognized
// by the id even after the key was deleted.
func (*Handler) resultOf(from Origin, item Item, e event.Event, outcome ingest.Outcome) Result {
	derived := from.Key != "" && !item.Input.EventID.IsGiven()

	result := Result{EventID: e.ID(), ReceivedAt: outcome.ReceivedAt}
	switch outcome.State {
	case ingest.Stored:
		result.Status = Recorded
	case ingest.Repeated:
		result.Status = Duplicate
		if derived {
			result.Status, result.Replayed = Recorded, true
		}
	case ingest.Differs:
		result.Err = conflict(derived)
	case ingest.Refused, ingest.Failed, ingest.KeyUsed:
		result.Err = outcome.Err
	}

	return result
}

func conflict(derived bool) error {
	if derived {
		return keyReused()
	}

	return ErrConflict.New(
		"An event with this event_id and other content is already recorded.",
	)
}
