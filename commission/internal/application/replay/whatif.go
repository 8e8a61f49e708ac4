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

// MaxEvents is the largest number of events that a trial decides.
const MaxEvents = 1_000_000

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
	err = h.each(ctx, affected(trial.Snapshot(), period), func(history History, limit int) (int, error) {
		found, events, err := tryOut(history, present, with, period, limit)
		if out = append(out, found...); err == nil && len(out) > MaxDifferences {
			err = replay.ErrTooLarge
		}

		return events, err
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

// attempt is what is done with a history of at most limit events. It returns their number.
type attempt func(history History, limit int) (events int, err error)

// each calls fn with the histories of the users, in their order. A user alone is not searched for.
func (h *Handler) each(ctx context.Context, who Selection, fn attempt) error {
	if who.Scope.UserID != "" {
		_, err := h.eachOf(ctx, h.store, []User{{ID: who.Scope.UserID}}, MaxEvents, fn)
		return err
	}

	left := MaxEvents

	return h.store.Selected(ctx, who, pageUsers, func(users []User, reader Reader) error {
		for len(users) > 0 {
			next := group(users)
			users = users[len(next):]

			read, err := h.eachOf(ctx, reader, next, left, fn)
			if err != nil {
				return err
			}

			left -= read
		}

		return nil
	})
}

// eachOf calls fn with the histories of the users and returns the number of events, of which there
// may be at most limit.
func (h *Handler) eachOf(
	ctx context.Context,
	reader Reader,
	users []User,
	limit int,
	fn attempt,
) (int, error) {
	histories, err := reader.Histories(ctx, idsOf(users), min(limit, h.most))

	switch {
	case errors.Is(err, ErrManyEvents) && len(users) == 1:
		return ofOne(ctx, reader, users[0].ID, limit, fn)
	case errors.Is(err, ErrManyEvents):
		half := len(users) / 2

		first, err := h.eachOf(ctx, reader, users[:half], limit, fn)
		if err != nil {
			return 0, err
		}

		second, err := h.eachOf(ctx, reader, users[half:], limit-first, fn)

		return first + second, err
	case err != nil:
		return 0, err
	}

	read := 0

	for i, history := range histories {
		events, err := fn(history, limit-read)
		if err != nil {
			return read, err
		}

		read += events
		histories[i] = History{} // it may be long
	}

	return read, nil
}

// ofOne calls fn with a history that is read in parts.
func ofOne(
	ctx context.Context,
	reader Reader,
	user string,
	limit int,
	fn attempt,
) (read int, err error) {
	err = reader.Read(ctx, user, func(history History) (err error) {
		read, err = fn(history, limit)
		return err
	})

	return read, err
}

// tryOut returns what the user earns in the period by either rules, where that differs, and the
// number of the user's events. replay.ErrTooLarge is returned for more than limit.
func tryOut(
	history History,
	present, trial *rule.Set,
	period replay.Period,
	limit int,
) ([]Trial, int, error) {
	parts := history.InParts()
	sums := map[money.Currency]*Trial{}
	events := 0

	for i, set := range []*rule.Set{present, trial} {
		course := history.course(parts, set)
		events = 0

		for entry, err := range parts.Entries {
			if err != nil {
				return nil, events, err
			}

			if events++; events > limit {
				return nil, events, replay.ErrTooLarge
			}

			for d := range course.Decide(entry.Event) {
				if history.counts(d, course, period) {
					sumOf(sums, history.UserID, d.Currency).add(i, d.Amount.Total())
				}
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

	return out, events, nil
}

// counts reports whether the decision changes what an event of the period earns.
func (h History) counts(d decision.Decision, course *decision.Course, period replay.Period) bool {
	if d.Outcome != decision.Commissioned || h.Manual.Rejected[d.OriginalEventID()] {
		return false
	}

	if !d.Event.Type().Reverses() {
		return period.Holds(d.Event.OccurredAt())
	}

	original, known := course.Original(d)

	return known && period.Holds(original.OccurredAt())
}

// sumOf returns the sums in the currency.
func sumOf(sums map[money.Currency]*Trial, userID string, currency money.Currency) *Trial {
	t := sums[currency]
	if t == nil {
		none := money.TotalOf(0, currency)
		t = &Trial{
			UserID:   userID,
			Currency: currency,
			Present:  none,
			Trial:    none,
		}
		sums[currency] = t
	}

	return t
}

// add adds an amount of the present rules, or of those with the trial rule.
func (t *Trial) add(which int, amount money.Total) {
	if which == 0 {
		t.Present = t.Present.Add(amount)
	} else {
		t.Trial = t.Trial.Add(amount)
	}
}
