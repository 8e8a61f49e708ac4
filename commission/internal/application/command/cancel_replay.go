package command

import (
	"context"
	"fmt"

	"tributary/commission/internal/application/change"
	"tributary/commission/internal/domain/commission"
	"tributary/commission/internal/domain/effect"
	"tributary/commission/internal/domain/replay"
)

// Replays is the repository of replays, for those who change one.
type Replays interface {
	// Change stores the replay as fn changes it, in one transaction, between two of its steps. It
	// returns replay.ErrNotFound, the fault idempotency_key_reused, and a *change.ReplayedError for
	// a repetition, without calling fn.
	Change(
		ctx context.Context,
		request change.Request,
		id string,
		fn func(*replay.Replay) (change.Outcome, error),
	) error
}

// CancelReplay cancels replays.
type CancelReplay struct{ replays Replays }

// NewCancelReplay returns the handler. It is safe for concurrent use.
func NewCancelReplay(replays Replays) *CancelReplay { return &CancelReplay{replays: replays} }

// Handle cancels a running replay. What it has posted stands. It returns the faults of
// Replays.Change, effect.ErrTransition if the replay has ended, and validation_failed for a reason
// that is not one.
func (h *CancelReplay) Handle(
	ctx context.Context,
	request change.Request,
	id string,
) (replay.Snapshot, error) {
	if err := commission.CheckReason(request.Reason); err != nil {
		return replay.Snapshot{}, err
	}

	var after replay.Snapshot
	err := h.replays.Change(ctx, request, id, func(r *replay.Replay) (change.Outcome, error) {
		before := r.Snapshot()
		if err := r.Cancel(request.Now); err != nil {
			return change.Outcome{}, err
		}

		after = r.Snapshot()

		return request.Outcome(
			change.Record{
				Action:      "cancel",
				SubjectType: "replay",
				SubjectID:   id,
				Before:      auditedReplay(before),
				After:       auditedReplay(after),
			},
			effect.Effect{},
			after,
		)
	})

	return after, err
}

func auditedReplay(s replay.Snapshot) string {
	return fmt.Sprintf(
		`{"status":%q,"users":%d,"events":%d,"differences":%d}`,
		s.Status,
		s.Progress.Done.Users,
		s.Progress.Done.Events,
		s.Progress.Differences,
	)
}
