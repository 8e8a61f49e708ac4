package replay

import (
	"context"
	"errors"
	"time"

	"tributary/commission/internal/domain/decision"
	"tributary/commission/internal/domain/replay"
)

// partSize is how many differences and changes are in memory before they are written.
const partSize = 1_000

// errMonthEnded ends a step that would post into the month before, which may be closed by now. The
// step begins again.
var errMonthEnded = errors.New("the month has ended since the step began; it is done again")

// errDiffers ends a comparison as soon as it has found something.
var errDiffers = errors.New("the user differs")

// stepOfOne is step for a user whose history is read in parts.
func (h *Handler) stepOfOne(
	ctx context.Context,
	claim Claim,
	found replay.Snapshot,
	user string,
) error {
	if !found.DryRun {
		same, err := h.same(ctx, found, user)
		if err != nil {
			return err
		}

		if same != nil {
			_, err := h.store.Post(ctx, claim, nil, func(r *replay.Replay, _ []History) (Posting, error) {
				return Posting{}, r.Advance(*same, h.clock())
			})

			return err
		}
	}

	return h.store.PostInParts(ctx, claim, user, found.DryRun, func(
		r *replay.Replay,
		history History,
		write Writer,
	) error {
		return h.postInParts(r, found, history, write)
	})
}

// same returns the step of a user without a difference, or nil for one with a difference.
func (h *Handler) same(
	ctx context.Context,
	asked replay.Snapshot,
	user string,
) (same *replay.Step, err error) {
	err = h.store.Read(ctx, user, func(history History) error {
		step := stepOf(history)
		if step.Revision != asked.Revision {
			return replay.ErrRulesChanged
		}

		err := compareInParts(history, asked.Period, 1, func(part comparison) error {
			step.Done.Events += int64(part.events)

			if !part.nothing() {
				return errDiffers
			}

			return nil
		})
		if errors.Is(err, errDiffers) {
			return nil
		}

		same = &step

		return err
	})

	return same, err
}

func stepOf(history History) replay.Step {
	return replay.Step{
		Done:     replay.Size{Users: 1},
		Last:     history.UserID,
		Revision: history.Rules.Revision(),
	}
}

// postInParts writes what the comparison finds, part by part, and advances the replay.
func (h *Handler) postInParts(
	r *replay.Replay,
	asked replay.Snapshot,
	history History,
	write Writer,
) error {
	step := stepOf(history)
	if step.Revision != asked.Revision {
		return replay.ErrRulesChanged
	}

	now := h.clock()

	err := compareInParts(history, asked.Period, min(partSize, h.most), func(part comparison) error {
		posting := Posting{
			Now:   now,
			Usage: map[decision.UsageKey]decision.Usage{},
		}

		if asked.DryRun {
			posting.Differences = part.differences
		} else if err := h.post(&posting, asked, history, part); err != nil {
			return err
		}

		step.Done.Events += int64(part.events)
		posting.count(&step)

		return write(posting)
	})
	if err != nil {
		return err
	}

	if !asked.DryRun && h.month(now) != h.month(h.now()) {
		return errMonthEnded
	}

	return r.Advance(step, now)
}

func (h *Handler) month(at time.Time) time.Month { return at.In(h.zone).Month() }
