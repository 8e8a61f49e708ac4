package ingest

import (
	"context"
	"errors"
	"time"

	"tributary/platform/fault"
	"tributary/tracking/internal/domain/event"
)

// Use is the use of an idempotency key by a request. Keys belong to a caller.
type Use struct {
	Caller string
	Key    string
	// of operation and content: what else is asked for under the same key is refused
	Hash [32]byte
	At   time.Time // of receipt, as that of the request's events
}

// Keys tells of requests that came with a key, and of their events.
type Keys interface {
	// Find gives the first use of a caller's key, false when none is remembered.
	Find(ctx context.Context, caller, key string) (Use, bool, error)
	// Look gives an outcome for each event that the log has, in order: Repeated or Differs. It is
	// an error when the log lacks one.
	Look(ctx context.Context, events []event.Event) ([]Outcome, error)
}

// use is nil without a key.
func (o Origin) use(at time.Time) *Use {
	if o.Key == "" {
		return nil
	}

	return &Use{
		Caller: o.Caller,
		Key:    o.Key,
		Hash:   o.Hash,
		At:     at,
	}
}

// first gives the first use of the request's key. idempotency_key_reused when that was for
// something else.
func (h *Handler) first(ctx context.Context, from Origin) (Use, bool, error) {
	first, found, err := h.keys.Find(ctx, from.Caller, from.Key)
	if err == nil && found && first.Hash != from.Hash {
		err = keyReused()
	}

	return first, found, err
}

// firstAt is when the key was used first. What it cannot find out is unknown: the first use may be
// an attempt of this request whose answer was lost.
func (h *Handler) firstAt(ctx context.Context, from Origin) (time.Time, error) {
	first, found, err := h.first(ctx, from)
	switch {
	case fault.Is(err, keyReusedCode):
		return time.Time{}, err
	case err != nil:
		return time.Time{}, Unknown(err)
	case !found:
		return time.Time{}, Unknown(errors.New("the key was forgotten meanwhile"))
	}

	return first.At, nil
}

// look gives the outcomes that the events had for the first request with the key.
func (h *Handler) look(ctx context.Context, events []event.Event) ([]Outcome, error) {
	outcomes, err := h.keys.Look(ctx, events)
	if err != nil {
		return nil, Unknown(err)
	}

	claim(events, outcomes)

	return outcomes, nil
}

// replay gives the answer of the first request with the key: it is read as of that time, and its
// event is in the log.
func (h *Handler) replay(ctx context.Context, from Origin, item Item) (Result, error) {
	at, err := h.firstAt(ctx, from)
	if err != nil {
		return Result{}, err
	}

	e, err := h.accept(from, item, at, alone)
	if err != nil {
		return Result{}, err
	}

	outcomes, err := h.look(ctx, []event.Event{e})
	if err != nil {
		return Result{}, err
	}

	result := h.judge(from, item, e, outcomes[0])
	result.Replayed = true

	return result, result.Err
}

// replayBatch is replay for many.
func (h *Handler) replayBatch(ctx context.Context, from Origin, items []Item) ([]Result, error) {
	at, err := h.firstAt(ctx, from)
	if err != nil {
		return nil, err
	}

	b := h.acceptAll(from, items, at)

	outcomes, err := h.look(ctx, b.unique)
	if err != nil {
		return nil, err
	}

	results := h.judgeAll(from, items, b, outcomes)
	for i := range results {
		results[i].Replayed = true
	}

	return results, nil
}

const keyReusedCode = "idempotency_key_reused"

func keyReused() error {
	return fault.New(
		fault.Invalid,
		keyReusedCode,
		"This Idempotency-Key has come before with another content.",
	)
}

const maxKey = 255

// checkKey refuses what is no header value of 1 to 255 printable ASCII characters; "" means that
// there is none.
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
