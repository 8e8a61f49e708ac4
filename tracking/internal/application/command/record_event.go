package command

import (
	"context"

	"tributary/tracking/internal/application/ingest"
	"tributary/tracking/internal/domain/event"
)

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

	if outcomes[0].State == ingest.KeyUsed {
		return h.replay(ctx, from, item)
	}

	result := h.resultOf(from, item, e, outcomes[0])

	return result, result.Err
}
