package replay

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"tributary/commission/internal/domain/decision"
	"tributary/commission/internal/domain/replay"
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
// reads only the users whose events the version could apply to, and writes nothing.
// replay.ErrTooLarge is returned if they have more than MaxEvents events or MaxDifferences
// differences.
func (h *Handler) WhatIf(
	ctx context.Context,
	period replay.Period,
	snapshot rule.Snapshot,
) ([]Trial, error) {
	if err := period.Check(); err != nil {
		return nil, err
	}

	present, err := h.store.Rules(ctx)
	if err != nil {
		return nil, err
	}

	trial, err := present.Next(snapshot, rule.Publication{
		NewID: "00000000-0000-0000-0000-000000000000",
		Now:   period.From,
	})
	if err != nil {
		return nil, err
	}

	with := present.With(trial)

	var out []Trial
	err = h.each(ctx, affected(trial.Snapshot(), period), func(history History) error {
		out = append(out, tryOut(history, present, with, period)...)
		if len(out) > MaxDifferences {
			return replay.ErrTooLarge
		}

		return nil
	})

	return out, err
}

// affected returns the users in whose earnings of the period a version can make a difference: those
// with an event to which it could apply until the end of the period.
func affected(snapshot rule.Snapshot, period replay.Period) Selection {
	if snapshot.EffectiveFrom.Before(period.From) {
		period.From = snapshot.EffectiveFrom
	}

	return Selection{Period: period, Scope: snapshot.Scope}
}

// each calls fn with the histories of the users, in their order.
func (h *Handler) each(ctx context.Context, who Selection, fn func(History) error) error {
	if who.Scope.UserID != "" {
		_, err := h.eachOf(ctx, []User{{ID: who.Scope.UserID}}, MaxEvents, fn)
		return err
	}

	left, last := MaxEvents, ""

	for {
		users, err := h.store.Users(ctx, who, last, pageUsers)
		if err != nil || len(users) == 0 {
			return err
		}

		last = users[len(users)-1].ID

		for len(users) > 0 {
			next := group(users)
			users = users[len(next):]

			read, err := h.eachOf(ctx, next, left, fn)
			if err != nil {
				return err
			}

			left -= read
		}
	}
}

// eachOf calls fn with the histories of the users and returns the number of events, of which there
// may be at most limit.
func (h *Handler) eachOf(
	ctx context.Context,
	users []User,
	limit int,
	fn func(History) error,
) (int, error) {
	most := min(limit, stepHistory)
	if len(users) == 1 {
		most = limit
	}

	histories, err := h.store.Histories(ctx, idsOf(users), most)

	switch {
	case errors.Is(err, ErrManyEvents) && len(users) == 1:
		return 0, replay.ErrTooLarge
	case errors.Is(err, ErrManyEvents):
		half := len(users) / 2

		first, err := h.eachOf(ctx, users[:half], limit, fn)
		if err != nil {
			return 0, err
		}

		second, err := h.eachOf(ctx, users[half:], limit-first, fn)

		return first + second, err
	case err != nil:
		return 0, err
	}

	read := 0

	for i, history := range histories {
		read += len(history.Decisions)

		if err := fn(history); err != nil {
			return read, err
		}

		histories[i] = History{} // it may be long
	}

	return read, nil
}

func tryOut(history History, present, trial *rule.Set, period replay.Period) []Trial {
	inside, events := map[string]bool{}, history.events()
	for _, e := range events {
		inside[e.ID()] = period.Holds(e.OccurredAt())
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
