package replay

import (
	"cmp"
	"context"
	"slices"

	"tributary/commission/internal/application/publish"
	"tributary/commission/internal/domain/decision"
	"tributary/commission/internal/domain/rule"
)

// Trial is what a user would have earned by other rules.
type Trial struct {
	UserID   string
	Currency string
	Present  int64 // by the rules as they stand
	Trial    int64 // with the trial rule among them
}

// WhatIf decides the period by the rules as they stand and once more with a version that is not
// published. It writes nothing. A period that is too large is refused as by Replay.
func (h *Handler) WhatIf(ctx context.Context, period Period, def rule.Definition) ([]Trial, error) {
	if err := period.Check(); err != nil {
		return nil, err
	}

	present, err := h.store.Rules(ctx)
	if err != nil {
		return nil, err
	}

	trial, err := publish.Build(
		present,
		def,
		publish.Terms{NewID: "00000000-0000-0000-0000-000000000000", Now: period.From},
	)
	if err != nil {
		return nil, err
	}

	with := present.With(trial)

	var out []Trial
	err = h.each(ctx, period, func(history History) error {
		out = append(out, tryOut(history, present, with, period)...)
		if len(out) > MaxDifferences {
			return errTooLarge()
		}

		return nil
	})

	return out, err
}

func tryOut(history History, present, trial *rule.Set, period Period) []Trial {
	inside, events := map[string]bool{}, history.events()
	for _, e := range events {
		inside[e.ID()] = period.holds(e.OccurredAt())
	}

	sums := map[string]*Trial{}
	for i, set := range []*rule.Set{present, trial} {
		for key, minor := range expectedOf(decision.Run(events, set, history.Rejected), history.Rejected) {
			if !inside[key.EventID] {
				continue
			}

			t := sums[key.Currency]
			if t == nil {
				t = &Trial{UserID: history.UserID, Currency: key.Currency}
				sums[key.Currency] = t
			}

			if i == 0 {
				t.Present += minor
			} else {
				t.Trial += minor
			}
		}
	}

	var out []Trial
	for _, t := range sums {
		if t.Present != t.Trial {
			out = append(out, *t)
		}
	}

	slices.SortFunc(out, func(a, b Trial) int { return cmp.Compare(a.Currency, b.Currency) })

	return out
}
