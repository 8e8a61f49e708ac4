package replaytest

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"tributary/commission/internal/application/change"
	"tributary/commission/internal/application/command"
	"tributary/commission/internal/application/query"
	"tributary/commission/internal/application/replay"
	"tributary/commission/internal/domain/effect"
	domain "tributary/commission/internal/domain/replay"
	"tributary/platform/fault"
)

// Replays is the repository of replays, for those who do, cancel and read them.
type Replays interface {
	replay.Repository
	command.Replays
	query.ReplayReader
}

// World is the replays and the histories of one empty store with a rule by which a purchase earns
// 10 %, to be held for years.
type World struct {
	Store   replay.Store
	Replays Replays
	// Decide decides a purchase of 100.00 USD of the user, which occurred at the time.
	Decide func(t *testing.T, user, eventID string, occurredAt time.Time)
	// Expire ends all claims, as time does.
	Expire func(t *testing.T)
	// Records returns the audit's records of the subject, the oldest first.
	Records func(t *testing.T, subjectID string) []change.Record
}

// errStop is returned by a function that only looks.
var errStop = errors.New("stop")

func noon() time.Time { return time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC) }

// id returns the n-th id.
func id(n int) string { return fmt.Sprintf("019ab2c3-4d5e-7f60-8a7b-%012d", n) }

func november() domain.Period {
	return domain.Period{
		From: time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC),
		To:   time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC),
	}
}

// by returns the request of an actor with a key, or without one for "".
func by(actor, key string, content byte) change.Request {
	return change.Request{
		Actor:     actor,
		RequestID: "request",
		Reason:    "checked",
		Now:       noon(),
		Key:       key,
		Hash:      [32]byte{content},
		Render:    func(result any) ([]byte, error) { return fmt.Appendf(nil, `"%v"`, result), nil },
	}
}

func (w World) create(ctx context.Context, request change.Request, n int) error {
	claim := claimOf(n)
	wanted := replay.Creation{Period: november(), Small: 2, Holder: claim.Holder}

	return w.Replays.Create(ctx, request, wanted, func(
		revision int64,
		small bool,
	) (domain.Replay, change.Outcome, error) {
		made, err := domain.New(domain.Wanted{
			ID:        claim.ID,
			Period:    november(),
			Reason:    request.Reason,
			Actor:     request.Actor,
			RequestID: request.RequestID,
			Revision:  revision,
			AtOnce:    small,
			Now:       request.Now,
		})
		if err != nil {
			return made, change.Outcome{}, err
		}

		record := change.Record{Action: "replay", SubjectType: "replay", SubjectID: claim.ID}
		outcome, err := request.Outcome(record, effect.Effect{}, "made")

		return made, outcome, err
	})
}

// claimOf returns the claim of the one who created the n-th replay.
func claimOf(n int) replay.Claim { return replay.Claim{ID: id(n), Holder: id(500 + n)} }

// created creates the n-th replay.
func (w World) created(t *testing.T, n int) replay.Claim {
	t.Helper()

	if err := w.create(t.Context(), by("operator", "", 0), n); err != nil {
		t.Fatal(err)
	}

	return claimOf(n)
}

func (w World) cancel(ctx context.Context, request change.Request, id string) error {
	return w.Replays.Change(ctx, request, id, func(r *domain.Replay) (change.Outcome, error) {
		if err := r.Cancel(request.Now); err != nil {
			return change.Outcome{}, err
		}

		record := change.Record{
			Action:      "cancel",
			SubjectType: "replay",
			SubjectID:   id,
			Before:      "{}",
			After:       "{}",
		}

		return request.Outcome(record, effect.Effect{}, "made")
	})
}

func (w World) replay(t *testing.T, id string) domain.Snapshot {
	t.Helper()

	found, err := w.Replays.Replay(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}

	return found
}

// checkKeys checks that the change happens once for its key.
func checkKeys(t *testing.T, try func(request change.Request) error) {
	t.Helper()

	if err := try(by("operator", "key", 1)); err != nil {
		t.Errorf("first: %v", err)
	}

	var replayed *change.ReplayedError
	if err := try(by("operator", "key", 1)); !errors.As(err, &replayed) ||
		string(replayed.Body) != `"made"` {
		t.Errorf("again: %v", err)
	}

	if err := try(by("operator", "key", 2)); !errors.Is(err, fault.ErrKeyReused) {
		t.Errorf("other content: %v", err)
	}

	if err := try(by("another", "key", 2)); errors.Is(err, fault.ErrKeyReused) {
		t.Errorf("another caller's key: %v", err)
	}
}

// count counts the period of the replay, and fails with the error.
func (w World) count(ctx context.Context, claim replay.Claim, events int64, failure error) error {
	return w.Replays.Update(ctx, claim, func(r *domain.Replay) error {
		if err := r.Count(domain.Size{Users: 1, Events: events}, noon()); err != nil {
			return err
		}

		return failure
	})
}
