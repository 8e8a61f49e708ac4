package command

import (
	"context"
	"errors"
	"time"

	"tributary/platform/fault"
	"tributary/tracking/internal/application/ingest"
	"tributary/tracking/internal/domain/event"
)

// Keys reads the uses of keys, and the events recorded with them.
type Keys interface {
	// Find returns the first use of a caller's key. The bool reports whether one is remembered.
	Find(ctx context.Context, caller, key string) (ingest.Use, bool, error)
	// Look returns an outcome for each event, in order: Repeated or Differs. It returns an error if
	// the log lacks one of them.
	Look(ctx context.Context, events []event.Event) ([]ingest.Outcome, error)
}

// use returns the use of the request's key, or nil without a key.
func (o Origin) use(at time.Time) *ingest.Use {
	if o.Key == "" {
		return nil
	}

	return &ingest.Use{
		Caller: o.Caller,
		Key:    o.Key,
		Hash:   o.Hash,
		At:     at,
	}
}

// first returns the first use of the request's key. fault.ErrKeyReused is returned if it
// was for another request.
func (h *Handler) first(ctx context.Context, from Origin) (ingest.Use, bool, error) {
	first, found, err := h.keys.Find(ctx, from.Caller, from.Key)
	if err == nil && found && first.Hash != from.Hash {
		err = keyReused()
	}

	return first, found, err
}

// firstAt returns the time of the first use of the key. If it cannot be read the outcome is
// unknown: the first use may be an attempt of this request whose answer was lost.
func (h *Handler) firstAt(ctx context.Context, from Origin) (time.Time, error) {
	first, found, err := h.first(ctx, from)
	switch {
	case errors.Is(err, fault.ErrKeyReused):
		return time.Time{}, err
	case err != nil:
		return time.Time{}, ingest.Unknown(err)
	case !found:
		return time.Time{}, ingest.Unknown(errors.New("the key was forgotten meanwhile"))
	}

	return first.At, nil
}

// look returns the outcomes that the events had for the first request with the key.
func (h *Handler) look(ctx context.Context, events []event.Event) ([]ingest.Outcome, error) {
	outcomes, err := h.keys.Look(ctx, events)
	if err != nil {
		return nil, ingest.Unknown(err)
	}

	ingest.Claim(events, outcomes)

	return outcomes, nil
}

// replay returns the answer of the first request with the key: the item is read as of that time,
// and its event is in the log.
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

	result := h.resultOf(from, item, e, outcomes[0])
	result.Replayed = true

	return result, result.Err
}

// replayBatch is replay for several items.
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

	results := h.resultsOf(from, items, b, outcomes)
	for i := range results {
		results[i].Replayed = true
	}

	return results, nil
}

func keyReused() error {
	return fault.ErrKeyReused.New("This Idempotency-Key was used before with other content.")
}

const maxKey = 255

// checkKey returns a fault unless the key is absent ("") or a header value of 1 to 255 printable
// ASCII characters.
func checkKey(key string) error {
	bad := len(key) > maxKey
	for i := range len(key) {
		bad = bad || key[i] < ' ' || key[i] > '~'
	}

	if !bad {
		return nil
	}

	var faults fault.Fields
	faults.Add("Idempotency-Key", fault.ErrInvalidValue, "must be 1 to 255 printable ASCII characters")

	return faults.Err()
}
