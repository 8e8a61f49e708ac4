package replay

import (
	"cmp"
	"context"
	"slices"

	"tributary/commission/internal/domain/decision"
	"tributary/commission/internal/domain/rule"
	"tributary/platform/money"
)

// Trial compares a user's earnings by the current rules and with a trial rule.
type Trial struct {
	UserID   string
	Currency money.Currency
	Present  money.Total // by the current rules
	Trial    money.Total // with the trial rule among them
}

// WhatIf decides the period by the current rules and again with a version that is not published. It
// writes nothing. A period that is too large is refused as by Replay.
func (h *Handler) WhatIf(ctx context.Context, period Period, def rule.Definition) ([]Trial, error) {
	if err := period.Check(); err != nil {
		return nil, err
	}

	present, err := h.store.Rules(ctx)
	if err != nil {
		return nil, err
	}

	trial, err := present.Next(def, rule.Publication{
		NewID: "00000000-0000-0000-0000-000000000000",
		Now:   period.From,
	})
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
		for key, minor := range expectedOf(decision.Run(events, set, history.Manual), history.Manual.Rejected) {
			currency, err := money.ParseCurrency(key.Currency)
			if err != nil || !inside[key.EventID] {
				continue
			}

			amount := money.TotalOf(minor, currency)

			t := sums[key.Currency]
			if t == nil {
				none := money.TotalOf(0, currency)
				t = &Trial{
					UserID:   history.UserID,
					Currency: currency,
					Present:  none,
					Trial:    none,
				}
				sums[key.Currency] = t
			}

			if i == 0 {
				t.Present = t.Present.Add(amount)
			} else {
				t.Trial = t.Trial.Add(amount)
			}
		}
	}

	var out []Trial
	for _, t := range sums {
		if t.Present.Sub(t.Trial).Sign() != 0 {
			out = append(out, *t)
		}
	}

	slices.SortFunc(out, func(a, b Trial) int { return cmp.Compare(a.Currency.String(), b.Currency.String()) })

	return out
}
