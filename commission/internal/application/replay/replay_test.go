package replay_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"testing"
	"time"

	"tributary/commission/internal/application/replay"
	"tributary/commission/internal/domain/decision"
	"tributary/commission/internal/domain/event"
	domain "tributary/commission/internal/domain/replay"
	"tributary/commission/internal/domain/rule"
	"tributary/contracts/eventtype"
	"tributary/platform/money"
)

// programme is a store of a number of users with the same events.
type programme struct {
	replay.Store

	rules     *rule.Set
	users     int
	decisions []replay.EffectiveDecision
	selected  replay.Selection
	read      []string
}

func (p *programme) Rules(context.Context) (*rule.Set, error) { return p.rules, nil }

func (p *programme) Selected(
	_ context.Context,
	who replay.Selection,
	limit int,
	fn func([]replay.User, replay.Reader) error,
) error {
	p.selected = who

	var users []replay.User
	for i := range p.users {
		id := fmt.Sprintf("u%06d", i)
		users = append(users, replay.User{ID: id, Events: int64(len(p.decisions))})
	}

	for page := range slices.Chunk(users, limit) {
		if err := fn(page, p); err != nil {
			return err
		}
	}

	return nil
}

func (p *programme) Histories(_ context.Context, users []string, limit int) ([]replay.History, error) {
	if len(users)*len(p.decisions) > limit {
		return nil, replay.ErrManyEvents
	}

	p.read = append(p.read, users...)

	var out []replay.History
	for _, user := range users {
		out = append(out, replay.History{Rules: p.rules, UserID: user, Decisions: p.decisions})
	}

	return out, nil
}

func (p *programme) Read(_ context.Context, user string, fn func(replay.History) error) error {
	return fn(replay.History{Rules: p.rules, UserID: user, Parts: &replay.Parts{
		Entries: func(yield func(replay.Entry, error) bool) {
			for i := range p.decisions {
				if !yield(replay.Entry{EffectiveDecision: p.decisions[i]}, nil) {
					return
				}
			}
		},
		Ties: &decision.Ties{},
	}})
}

func now() time.Time { return november().To }

func november() domain.Period {
	return domain.Period{
		From: time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC),
		To:   time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC),
	}
}

func views(t *testing.T, n int) []replay.EffectiveDecision {
	t.Helper()

	out := make([]replay.EffectiveDecision, n)
	for i := range out {
		e, err := event.New(
			event.Snapshot{
				ID:         fmt.Sprint("e", i),
				UserID:     "u",
				Type:       eventtype.View,
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

func perView(t *testing.T, amount string) rule.Snapshot {
	t.Helper()

	rate, err := money.ParseRate(amount)
	if err != nil {
		t.Fatal(err)
	}

	return rule.Snapshot{
		ID:            "view",
		Version:       1,
		Name:          "view",
		Scope:         rule.Scope{EventType: eventtype.View},
		Currency:      money.USD(),
		Formula:       rule.Flat{Amount: rate},
		EffectiveFrom: november().From.AddDate(-1, 0, 0),
	}
}

func (p *programme) tries(t *testing.T, scope rule.Scope) ([]replay.Trial, error) {
	t.Helper()

	trial := perView(t, "0.3")
	trial.ID = ""
	trial.Priority = 1
	trial.Scope = scope

	return replay.New(replay.Dependencies{
		Store:  p,
		Now:    now,
		Logger: slog.New(slog.DiscardHandler),
	}).WhatIf(t.Context(), november(), trial)
}

func oneRule(t *testing.T) *rule.Set {
	t.Helper()

	view, err := rule.New(perView(t, "0.2"))
	if err != nil {
		t.Fatal(err)
	}

	return rule.NewSet(1, []rule.Rule{view})
}

func TestATrialThatIsTooLargeIsRefused(t *testing.T) {
	t.Parallel()

	for name, c := range map[string]struct {
		users, events int
		refused       bool
	}{
		"as many differences as may be": {users: replay.MaxDifferences, events: 1},
		"one difference more":           {users: replay.MaxDifferences + 1, events: 1, refused: true},
		"longer histories than a step":  {users: 3, events: 9_000},
		"one event more than may be":    {users: 1, events: replay.MaxEvents + 1, refused: true},
	} {
		p := &programme{rules: oneRule(t), users: c.users, decisions: views(t, min(c.events, 9_000))}
		if c.events > len(p.decisions) {
			p.decisions = slices.Repeat(p.decisions, c.events/len(p.decisions)+1)
		}

		trials, err := p.tries(t, rule.Scope{EventType: eventtype.View})
		if errors.Is(err, domain.ErrTooLarge) != c.refused || !c.refused && len(trials) != c.users {
			t.Errorf("%s: %d trials, %v", name, len(trials), err)
		}
	}
}

// A rule for one user reads that user and looks for no others. Any other rule looks only for users
// with events to which it could apply, from when it takes effect.
func TestATrialReadsOnlyWhatCanChange(t *testing.T) {
	t.Parallel()

	p := &programme{rules: oneRule(t), users: 10, decisions: views(t, 1)}
	if trials, err := p.tries(t, rule.Scope{EventType: eventtype.View, UserID: "u"}); err != nil ||
		!slices.Equal(p.read, []string{"u"}) || len(trials) != 1 || !p.selected.Period.From.IsZero() {
		t.Errorf("for a user: read %v, found %v, %v", p.read, trials, err)
	}

	scope := rule.Scope{EventType: eventtype.View, CampaignID: "c"}
	period := domain.Period{From: november().From.AddDate(-1, 0, 0), To: november().To}

	if _, err := p.tries(t, scope); err != nil ||
		p.selected != (replay.Selection{Period: period, Scope: scope}) {
		t.Errorf("for a campaign: selected %+v, %v", p.selected, err)
	}
}
