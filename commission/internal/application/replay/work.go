package replay

import (
	"context"
	"errors"
	"sync"
	"time"

	"tributary/commission/internal/domain/replay"
)

const (
	// A step is made for at most so many users, whose events of the period are about so many.
	stepUsers  = 100
	stepEvents = 2_000
	// Their events of all time, which are in memory meanwhile. The history of one user alone who
	// has more is read in parts.
	stepHistory = 10_000

	pageUsers   = 5_000 // that are read at once
	keepEvery   = 5 * time.Second
	reportEvery = 10 * time.Second
)

// Work goes on with the replays that no process works on, one by one, until there is none or ctx
// ends. Any number of processes may call it.
func (h *Handler) Work(ctx context.Context) {
	for ctx.Err() == nil {
		claim, found, err := h.replays.Take(ctx, h.newID())
		if err != nil && ctx.Err() == nil {
			h.logger.WarnContext(ctx, "replays cannot be read", "error", err)
		}

		if err != nil || !found {
			return
		}

		var failed *failure

		err = h.proceed(ctx, claim)
		switch {
		case err == nil, errors.Is(err, ErrLost):
		case errors.As(err, &failed):
			h.logger.ErrorContext(ctx, "a replay has failed", "replay", claim.ID, "error", err)
		default:
			// It keeps the claim until it ends, so that what hinders it may pass.
			if ctx.Err() != nil {
				h.leave(ctx, claim)
				return
			}

			h.logger.WarnContext(ctx, "a replay is interrupted", "replay", claim.ID, "error", err)
		}
	}
}

// proceed takes the steps that are left of a claimed replay. It returns a *failure if the replay
// has failed.
func (h *Handler) proceed(ctx context.Context, claim Claim) error {
	ctx, release := h.keep(ctx, claim)
	defer release()

	found, err := h.replays.Replay(ctx, claim.ID)
	if err == nil && found.Status == replay.Running {
		err = h.steps(ctx, claim, found)
	}

	if cause := context.Cause(ctx); err != nil && cause != nil {
		err = cause
	}

	code, ok := permanent(err)
	if !ok {
		return err
	}

	if err := h.replays.Update(ctx, claim, func(r *replay.Replay) error {
		return r.Fail(code, h.clock())
	}); err != nil {
		return err
	}

	return &failure{cause: err}
}

// keep extends the claim until release is called. The context ends with ErrLost if the claim has.
func (h *Handler) keep(ctx context.Context, claim Claim) (kept context.Context, release func()) {
	kept, lose := context.WithCancelCause(ctx)

	var keeping sync.WaitGroup

	keeping.Go(func() {
		tick := time.NewTicker(keepEvery)
		defer tick.Stop()

		for {
			select {
			case <-kept.Done():
				return
			case <-tick.C:
			}

			if err := h.replays.Keep(kept, claim); errors.Is(err, ErrLost) {
				lose(ErrLost)
			}
		}
	})

	return kept, func() {
		lose(context.Canceled)
		keeping.Wait()
	}
}

func (h *Handler) steps(ctx context.Context, claim Claim, found replay.Snapshot) error {
	if found.Progress.Total == nil {
		total, err := h.store.Count(ctx, found.Period)
		if err != nil {
			return err
		}

		if err := h.replays.Update(ctx, claim, func(r *replay.Replay) error {
			return r.Count(total, h.clock())
		}); err != nil {
			return err
		}
	}

	reported := h.now()
	position := found.Progress.Position

	for {
		users, err := h.store.Users(ctx, found.Period, position, pageUsers)
		if err != nil {
			return err
		}

		if len(users) == 0 {
			break
		}

		for len(users) > 0 {
			n, err := h.step(ctx, claim, found, group(users))
			if err != nil {
				return err
			}

			position = users[n-1].ID
			users = users[n:]

			if now := h.now(); now.Sub(reported) > reportEvery {
				reported = now
				h.report(ctx, claim.ID, "replaying")
			}
		}
	}

	err := h.replays.Update(ctx, claim, func(r *replay.Replay) error {
		return r.Complete(h.clock())
	})
	if err == nil {
		h.report(ctx, claim.ID, "replayed")
	}

	return err
}

// report logs how far the replay has come.
func (h *Handler) report(ctx context.Context, id, message string) {
	s, err := h.replays.Replay(ctx, id)
	if err != nil || s.Progress.Total == nil {
		return
	}

	h.logger.InfoContext(
		ctx,
		message,
		"replay", id,
		"users", s.Progress.Done.Users,
		"of_users", s.Progress.Total.Users,
		"events", s.Progress.Done.Events,
		"of_events", s.Progress.Total.Events,
		"differences", s.Progress.Differences,
	)
}

// group returns the first users that make up a step.
func group(users []User) []User {
	var events int64
	for i, user := range users {
		if events += user.Events; i > 0 && (events > stepEvents || i == stepUsers) {
			return users[:i]
		}
	}

	return users
}

// step decides the users again, or the first half of them if their histories are too long, and
// returns their number. Only those with a difference are locked, and decided once more under their
// locks.
func (h *Handler) step(
	ctx context.Context,
	claim Claim,
	found replay.Snapshot,
	users []User,
) (int, error) {
	histories, err := h.store.Histories(ctx, idsOf(users), h.most)
	if errors.Is(err, ErrManyEvents) {
		if len(users) == 1 {
			return 1, h.stepOfOne(ctx, claim, found, users[0].ID)
		}

		return h.step(ctx, claim, found, users[:len(users)/2])
	}

	if err != nil {
		return 0, err
	}

	done := replay.Step{Last: users[len(users)-1].ID, Revision: found.Revision}

	var (
		differing []string
		trial     Posting
	)

	for i, history := range histories {
		if history.Rules.Revision() != found.Revision {
			return 0, replay.ErrRulesChanged
		}

		what, err := compare(history, found.Period)
		if err != nil {
			return 0, err
		}

		done.Done.Users++
		done.Done.Events += int64(what.events)

		switch {
		case what.nothing():
		case found.DryRun:
			trial.Differences = append(trial.Differences, what.differences...)
		default:
			differing = append(differing, history.UserID)
		}

		histories[i] = History{} // it may be long
	}

	_, err = h.store.Post(ctx, claim, differing, func(
		r *replay.Replay,
		histories []History,
	) (Posting, error) {
		posting, err := h.posting(found, histories)
		if err != nil {
			return posting, err
		}

		posting.Differences = append(posting.Differences, trial.Differences...)
		step := done
		posting.count(&step)

		return posting, r.Advance(step, posting.Now)
	})

	return len(users), err
}

func idsOf(users []User) []string {
	ids := make([]string, len(users))
	for i, user := range users {
		ids[i] = user.ID
	}

	return ids
}

// clock returns the time to the microsecond, as the database keeps it.
func (h *Handler) clock() time.Time { return h.now().UTC().Truncate(time.Microsecond) }
