// Package replay (application) decides a period again by the current rules and compares the result:
// with what is posted (replay), or with a trial rule (what-if). A replay posts adjustments and
// never edits.
package replay

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"tributary/commission/internal/application/change"
	"tributary/commission/internal/domain/effect"
	"tributary/commission/internal/domain/replay"
	"tributary/platform/fault"
)

const (
	// MaxDifferences is the largest number of differences that one answer contains.
	MaxDifferences = 10_000

	// A replay of at most so many events is answered with its result, if it ends in time.
	small   = 50_000
	patient = 10 * time.Second
)

// Handler replays periods and tries rules out. It is safe for concurrent use.
type Handler struct {
	store   Store
	replays Repository
	now     func() time.Time
	zone    *time.Location
	newID   func() string
	logger  *slog.Logger
	most    int
}

// Dependencies are what a handler works with. NewID returns unique ids. Zone is the programme's,
// whose months are closed, UTC if it is nil.
type Dependencies struct {
	Store    Store
	Replays  Repository
	Now      func() time.Time
	Zone     *time.Location
	NewID    func() string
	Logger   *slog.Logger
	InMemory int // events at once, 10,000 if it is 0
}

// New returns a handler.
func New(deps Dependencies) *Handler {
	return &Handler{
		store:   deps.Store,
		replays: deps.Replays,
		now:     deps.Now,
		zone:    cmp.Or(deps.Zone, time.UTC),
		newID:   deps.NewID,
		logger:  deps.Logger,
		most:    cmp.Or(deps.InMemory, stepHistory),
	}
}

// Result is a replay, with its differences if it is completed and was small.
type Result struct {
	Replay      replay.Snapshot
	Differences []Difference
	Complete    bool // Differences are all of them
}

// Start requests a replay. A small one is done at once. Any other goes on without the caller: Work
// does it, in this process or another one. Start returns the faults of the period and of the key;
// the fault with which a small replay has failed; and a *change.ReplayedError for a repetition.
func (h *Handler) Start(
	ctx context.Context,
	request change.Request,
	period replay.Period,
	dryRun bool,
) (Result, error) {
	if err := period.Check(); err != nil {
		return Result{}, err
	}

	claim := Claim{ID: h.newID(), Holder: h.newID()}
	atOnce := false
	wanted := Creation{Period: period, Small: small, Holder: claim.Holder}

	err := h.replays.Create(ctx, request, wanted, func(
		revision int64,
		isSmall bool,
	) (replay.Replay, change.Outcome, error) {
		atOnce = isSmall

		made, err := replay.New(replay.Wanted{
			ID:        claim.ID,
			Period:    period,
			DryRun:    dryRun,
			Reason:    request.Reason,
			Actor:     request.Actor,
			RequestID: request.RequestID,
			Revision:  revision,
			AtOnce:    isSmall,
			Now:       request.Now,
		})
		if err != nil {
			return made, change.Outcome{}, err
		}

		outcome, err := request.Outcome(requested(made.Snapshot()), effect.Effect{}, made.Snapshot())

		return made, outcome, err
	})
	if err != nil {
		return Result{}, err
	}

	if err := h.atOnce(ctx, claim, atOnce); err != nil {
		return Result{}, err
	}

	return h.Result(ctx, claim.ID)
}

// requested returns the audit's record of a new replay.
func requested(s replay.Snapshot) change.Record {
	return change.Record{
		Action:      "replay",
		SubjectType: "replay",
		SubjectID:   s.ID,
		After: fmt.Sprintf(
			`{"from":%q,"to":%q,"dry_run":%t}`,
			s.Period.From.Format(time.RFC3339Nano),
			s.Period.To.Format(time.RFC3339Nano),
			s.DryRun,
		),
	}
}

// atOnce works on a small replay for as long as its caller waits, and leaves the rest, as every
// larger replay, to Work.
func (h *Handler) atOnce(ctx context.Context, claim Claim, isSmall bool) error {
	var err error

	if isSmall {
		waiting, stop := context.WithTimeout(ctx, patient)
		defer stop()

		err = h.proceed(waiting, claim)
	}

	var failed *failure
	if errors.As(err, &failed) {
		return failed.cause
	}

	if err != nil {
		h.logger.WarnContext(ctx, "a replay is interrupted", "replay", claim.ID, "error", err)
	}

	if err != nil || !isSmall {
		h.leave(ctx, claim)
	}

	return nil
}

// leave ends the claim, also if the caller has left.
func (h *Handler) leave(ctx context.Context, claim Claim) {
	ctx, stop := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer stop()

	if err := h.replays.Leave(ctx, claim); err != nil {
		h.logger.WarnContext(ctx, "a replay waits for its claim to end", "replay", claim.ID, "error", err)
	}
}

// Result returns the replay with what it found. A request that is repeated has the same answer: it
// waits while another one works on a small replay.
func (h *Handler) Result(ctx context.Context, id string) (Result, error) {
	found, err := h.replays.Replay(ctx, id)
	for tries := 0; err == nil && found.Status == replay.Running && found.AtOnce && tries < 100; tries++ {
		select {
		case <-ctx.Done():
			return Result{}, ctx.Err()
		case <-time.After(patient / 100):
		}

		found, err = h.replays.Replay(ctx, id)
	}

	result := Result{Replay: found}
	if err != nil || !found.AtOnce || found.Status != replay.Completed ||
		found.Progress.Differences > MaxDifferences {
		return result, err
	}

	result.Complete = true
	result.Differences, err = h.replays.Differences(ctx, id, 1, MaxDifferences)

	return result, err
}

// failure is an error that another try would meet again.
type failure struct{ cause error }

func (f *failure) Error() string { return f.cause.Error() }
func (f *failure) Unwrap() error { return f.cause }

// permanent reports whether another try would meet the error again, and its code.
func permanent(err error) (code string, ok bool) {
	known, ok := fault.As(err)
	if !ok || known.Kind() == fault.Unavailable {
		return "", false
	}

	return known.Code(), true
}
