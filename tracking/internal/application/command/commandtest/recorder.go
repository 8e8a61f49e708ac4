// Package commandtest has a recorder in memory, and the contract suite that it and the coalescer
// pass.
package commandtest

import (
	"context"
	"errors"

	"tributary/platform/fault"
	"tributary/tracking/internal/application/command"
	"tributary/tracking/internal/application/ingest"
	"tributary/tracking/internal/domain/event"
)

// Recorder writes to a store at once: a request with a key in one commit, and each event of another
// request in its own.
type Recorder struct{ Store ingest.Store }

var _ command.Recorder = Recorder{}

// Record implements command.Recorder.
func (r Recorder) Record(
	ctx context.Context,
	events []event.Event,
	use *ingest.Use,
) ([]ingest.Outcome, error) {
	if use != nil {
		return r.append(ctx, events, ingest.Keyed{Use: use, To: len(events)})
	}

	var outcomes []ingest.Outcome

	stored := false

	for i := range events {
		one, err := r.append(ctx, events[i:i+1])

		switch {
		case stored && errors.Is(err, fault.ErrDatabase):
			return nil, ingest.Unknown(err)
		case err != nil:
			return nil, err
		}

		stored = stored || one[0].State == ingest.Stored
		outcomes = append(outcomes, one...)
	}

	return outcomes, nil
}

// append writes the events in one commit. If the store refuses them, the outcome of each is
// Refused.
func (r Recorder) append(
	ctx context.Context,
	events []event.Event,
	keyed ...ingest.Keyed,
) ([]ingest.Outcome, error) {
	outcomes, err := r.Store.Append(ctx, events, keyed...)
	if !errors.Is(err, ingest.ErrRefused) {
		return outcomes, err
	}

	outcomes = make([]ingest.Outcome, len(events))
	for i := range outcomes {
		outcomes[i] = ingest.Outcome{
			State: ingest.Refused,
			Err:   ingest.ErrContent.Because(err, "The event cannot be stored."),
		}
	}

	return outcomes, nil
}
