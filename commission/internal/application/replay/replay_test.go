package replay_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"tributary/commission/internal/application/change"
	"tributary/commission/internal/application/replay"
	"tributary/commission/internal/domain/commission"
	"tributary/commission/internal/domain/event"
	"tributary/commission/internal/domain/rule"
	"tributary/platform/money"
)

// programme is a store of a number of users with the same events, except for the last one, for whom
// nothing is posted.
type programme struct {
	rules     *rule.Set
	users     int
	decisions []replay.Standing
	last      []replay.Standing // of the last user, if any
	booked    int
}

func (p *programme) Rules(context.Context) (*rule.Set, error) { return p.rules, nil }

func (p *programme) Users(context.Context, replay.Period) ([]string, error) {
	users := make([]string, p.users)
	for i := range users {
		users[i] = fmt.Sprint("u", i)
	}

	return users, nil
}

func (p *programme) Rebook(
	_ context.Context,
	_ change.Request,
	userID string,
	fn func(replay.History) (replay.Booking, error),
) ([]commission.Snapshot, error) {
	history := replay.History{Rules: p.rules, UserID: userID, Decisions: p.decisions}
	if p.last != nil && userID == fmt.Sprint("u", p.users-1) {
		history.Decisions = p.last
	}

	b, err := fn(history)
	p.booked += len(b.Adjustments)

	return b.Adjustments, err
}

func now() time.Time { return november().To }

func november() replay.Period {
	return replay.Period{
		From: time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC),
		To:   time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC),
	}
}

func views(t *testing.T, n int) []replay.Standing {
	t.Helper()

	out := make([]replay.Standing, n)
	for i := range out {
		e, err := event.New(
			event.Facts{
				ID:         fmt.Sprint("e", i),
				UserID:     "u",
				Type:       event.View,
				OccurredAt: november().From,
			},
		)
		if err != nil {
			t.Fatal(err)
		}

		out[i].Event = e
	}

	return out
}

func perView(t *testing.T, amount string) rule.Definition {
	t.Helper()

	rate, err := money.ParseRate(amount)
	if err != nil {
		t.Fatal(err)
	}

	return rule.Definition{
		ID:            "view",
		Version:       1,
		Name:          "view",
		Scope:         rule.Scope{EventType: event.View},
		Currency:      money.USD(),
		Formula:       rule.Flat{Amount: rate},
		EffectiveFrom: november().From.AddDate(-1, 0, 0),
	}
}

func TestWhatIsTooLargeIsRefusedBeforeAnythingIsBooked(t *testing.T) {
	t.Parallel()

	view, err := rule.New(perView(t, "0.2"))
	if err != nil {
		t.Fatal(err)
	}

	trial := perView(t, "0.3")
	trial.ID, trial.Priority = "", 1

	one := rule.NewSet(1, []rule.Rule{view})
	for name, c := range map[string]struct {
		programme
		refused bool
	}{
		"more events than may be":            {programme{rules: one, users: 2, decisions: views(t, 1), last: make([]replay.Standing, replay.MaxEvents)}, true},
		"as many differences as may be":      {programme{rules: one, users: replay.MaxDifferences / 2, decisions: views(t, 2)}, false},
		"more differences than there may be": {programme{rules: one, users: replay.MaxDifferences/2 + 1, decisions: views(t, 2)}, true},
	} {
		store := c.programme

		report, err := replay.New(
			&store,
			now,
			func() string { return "id" },
		).Replay(t.Context(), change.Request{Now: november().From, Reason: "r"}, november(), true)
		if errors.Is(err, replay.ErrTooLarge) != c.refused || (err == nil) == c.refused ||
			(c.refused && store.booked > 0) ||
			(!c.refused && store.booked != len(report.Differences)) {
			t.Errorf("%s: booked %d, %v", name, store.booked, err)
		}
	}

	for users, refused := range map[int]bool{replay.MaxDifferences: false, replay.MaxDifferences + 1: true} {
		_, err := replay.New(
			&programme{rules: one, users: users, decisions: views(t, 1)},
			now,
			nil,
		).WhatIf(t.Context(), november(), trial)
		if errors.Is(err, replay.ErrTooLarge) != refused || (err == nil) == refused {
			t.Errorf("what-if for %d users: %v", users, err)
		}
	}
}
