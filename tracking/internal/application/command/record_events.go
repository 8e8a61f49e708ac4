package command

import (
	"context"
	"time"

	"tributary/platform/identifier"
	"tributary/tracking/internal/application/ingest"
	"tributary/tracking/internal/domain/event"
)

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

	if outcomes[0].State == ingest.KeyUsed {
		return h.replayBatch(ctx, from, items)
	}

	return h.resultsOf(from, items, b, outcomes), nil
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
func (b batch) outcome(i int, outcomes []ingest.Outcome) ingest.Outcome {
	outcome := outcomes[b.place[i]]
	if b.repeated[i] && outcome.Err == nil {
		return compare(b.events[i], outcome)
	}

	return outcome
}

// compare returns the outcome of an event that has the id of an earlier event.
func compare(e event.Event, earlier ingest.Outcome) ingest.Outcome {
	earlier.State = ingest.Repeated
	if e.Hash() != earlier.Hash {
		earlier.State = ingest.Differs
	}

	return earlier
}

func (h *Handler) resultsOf(from Origin, items []Item, b batch, outcomes []ingest.Outcome) []Result {
	for i, item := range items {
		if b.place[i] >= 0 {
			b.results[i] = h.resultOf(from, item, b.events[i], b.outcome(i, outcomes))
		}
	}

	return b.results
}
