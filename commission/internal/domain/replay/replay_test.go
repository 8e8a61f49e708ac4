package replay_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"tributary/commission/internal/domain/effect"
	"tributary/commission/internal/domain/replay"
	"tributary/platform/money"
)

func now() time.Time { return time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC) }

func wanted() replay.Wanted {
	return replay.Wanted{
		ID:       "r",
		Period:   replay.Period{From: now().AddDate(0, -1, 0), To: now()},
		Reason:   "agreed",
		Actor:    "admin",
		Revision: 7,
		Now:      now(),
	}
}

func running(t *testing.T) replay.Replay {
	t.Helper()

	r, err := replay.New(wanted())
	if err != nil {
		t.Fatal(err)
	}

	return r
}

func TestAReplayHasAPeriod(t *testing.T) {
	t.Parallel()

	for name, period := range map[string]replay.Period{
		"none":     {},
		"empty":    {From: now(), To: now()},
		"reversed": {From: now(), To: now().Add(-1)},
		"open":     {To: now()},
	} {
		asked := wanted()
		asked.Period = period

		if _, err := replay.New(asked); err == nil {
			t.Errorf("%s: no error", name)
		}
	}

	period := wanted().Period
	if !period.Holds(period.From) || period.Holds(period.To) || !period.Holds(period.To.Add(-1)) {
		t.Error("the period is not half-open")
	}
}

func TestAReplayAdvances(t *testing.T) {
	t.Parallel()

	r := running(t)

	var found replay.Found
	found.Add(money.FromMinor(30, money.USD()))
	found.Add(money.FromMinor(-10, money.USD()))

	steps := []replay.Step{
		{
			Done:        replay.Size{Users: 2, Events: 5},
			Last:        "b",
			Differences: found,
			Revision:    7,
		},
		{Done: replay.Size{Users: 1, Events: 1}, Last: "c", Revision: 7},
	}

	for i, step := range steps {
		if err := r.Advance(step, now().Add(time.Minute)); err != nil {
			t.Fatal(i, err)
		}
	}

	s := r.Snapshot()
	if p := s.Progress; p.Done != (replay.Size{Users: 3, Events: 6}) || p.Differences != 2 ||
		p.Position != "c" || p.Sums[money.USD()].Minor() != "20" || s.Version != 3 ||
		!s.ChangedAt.Equal(now().Add(time.Minute)) {
		t.Errorf("after the steps: %+v", s)
	}

	if err := r.Advance(steps[1], now()); !errors.Is(err, effect.ErrTransition) {
		t.Errorf("a step twice: %v", err)
	}

	if err := r.Advance(replay.Step{Last: "d", Revision: 8}, now()); !errors.Is(err, replay.ErrRulesChanged) {
		t.Errorf("by other rules: %v", err)
	}

	if after := r.Snapshot(); after.Version != s.Version || after.Progress.Position != "c" {
		t.Errorf("after what was refused: %+v", after)
	}
}

// Every change of a replay is in the table, and nothing else is.
func TestTransitions(t *testing.T) {
	t.Parallel()

	ends := map[replay.Status]func(*replay.Replay) error{
		replay.Completed: func(r *replay.Replay) error { return r.Complete(now()) },
		replay.Cancelled: func(r *replay.Replay) error { return r.Cancel(now()) },
		replay.Failed:    func(r *replay.Replay) error { return r.Fail("code", now()) },
	}

	for _, from := range replay.Statuses() {
		for to, end := range ends {
			s := replay.Snapshot{Status: from, Version: 1}
			r := replay.Restore(s)
			listed := slices.Contains(replay.Transitions(), replay.Transition{From: from, To: to})

			err := end(&r)
			if (err == nil) != listed || (err != nil && !errors.Is(err, effect.ErrTransition)) {
				t.Errorf("%s to %s: %v", from, to, err)
			}

			after := r.Snapshot()
			if listed && (after.Status != to || !after.EndedAt.Equal(now()) || after.Version != 2) ||
				!listed && (after.Status != from || after.Version != 1 || after.Failure != "") {
				t.Errorf("%s to %s: %+v", from, to, after)
			}
		}
	}
}

func TestOnlyARunningReplayGoesOn(t *testing.T) {
	t.Parallel()

	r := running(t)
	if err := r.Count(replay.Size{Users: 2, Events: 3}, now()); err != nil ||
		*r.Snapshot().Progress.Total != (replay.Size{Users: 2, Events: 3}) {
		t.Fatal(err)
	}

	if err := r.Fail("replay_too_large", now()); err != nil || r.Snapshot().Failure != "replay_too_large" {
		t.Fatal(err)
	}

	for name, err := range map[string]error{
		"count":   r.Count(replay.Size{}, now()),
		"advance": r.Advance(replay.Step{Last: "z", Revision: 7}, now()),
	} {
		if !errors.Is(err, effect.ErrTransition) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
