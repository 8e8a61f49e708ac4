// Package replay decides a period anew by the rules as they stand and compares: with what is booked (replay), or with a trial rule (what-if).
// Applying a replay books adjustments and never edits. Application layer.
package replay

import (
	"cmp"
	"context"
	"slices"
	"time"

	"tributary/commission/internal/application/publish"
	"tributary/commission/internal/domain/commission"
	"tributary/commission/internal/domain/decision"
	"tributary/commission/internal/domain/event"
	"tributary/commission/internal/domain/rule"
	"tributary/platform/fault"
	"tributary/platform/money"
)

// History is all that is known of a user: events, and what is booked for each.
type History struct {
	UserID   string
	Events   []event.Event
	Booked   map[Money]int64 // what stands for the event, adjustments included and rejected rows left out, in minor units
	Rejected map[string]bool // events whose commission was rejected by hand
}

// Money is the money that belongs to an event.
type Money struct {
	EventID  string
	Currency string
}

// Store reads histories and books adjustments.
type Store interface {
	// Rules gives all published versions as they stand.
	Rules(ctx context.Context) (*rule.Set, error)
	// Histories gives fn the users with events in the period, in order, one by one, each with the whole history.
	Histories(ctx context.Context, period Period, fn func(History) error) error
	// Book stores the adjustments of a user in one transaction, if the user's bookings are still those of seen; false if they have changed.
	Book(ctx context.Context, seen History, adjustments []commission.Commission, now time.Time) (bool, error)
}

// Period is a half-open span of times of occurrence.
type Period struct{ From, To time.Time }

func (p Period) holds(t time.Time) bool { return !t.Before(p.From) && t.Before(p.To) }

// Difference is what an event should have brought and has not.
type Difference struct {
	UserID     string
	EventID    string
	EventType  event.Type
	OccurredAt time.Time
	Currency   money.Currency
	Expected   int64
	Booked     int64
}

// Report is the outcome of a replay. It holds no time and no new id, so that the same input gives the same report.
type Report struct {
	Period      Period
	Events      int // in the period
	Users       int
	Differences []Difference
	Changed     []string // users whose bookings changed while an apply ran: run it again
}

// Handler replays. It is safe for concurrent use.
type Handler struct {
	store Store
	now   func() time.Time
	newID func() string
}

// New makes a handler.
func New(store Store, now func() time.Time, newID func() string) *Handler {
	return &Handler{store: store, now: now, newID: newID}
}

// Check refuses a period that is empty or turned around.
func (p Period) Check() error {
	var faults fault.Fields
	if p.From.IsZero() {
		faults.Add("from", "required", "is required")
	}
	if !p.To.After(p.From) {
		faults.Add("to", "not_after", "must be after from")
	}
	return faults.Err()
}

// Replay decides the period anew. With apply it books the differences as adjustments: doing it twice changes nothing.
func (h *Handler) Replay(ctx context.Context, period Period, apply bool, reason string) (Report, error) {
	report := Report{Period: period}
	if err := period.Check(); err != nil {
		return report, err
	}
	rules, err := h.store.Rules(ctx)
	if err != nil {
		return report, err
	}
	err = h.store.Histories(ctx, period, func(history History) error {
		report.Users++
		differences := compare(history, rules, period, &report.Events)
		if len(differences) == 0 {
			return nil
		}
		report.Differences = append(report.Differences, differences...)
		if !apply {
			return nil
		}
		same, err := h.store.Book(ctx, history, h.adjustments(differences, reason), h.now().UTC().Truncate(time.Microsecond))
		if err == nil && !same {
			report.Changed = append(report.Changed, history.UserID)
		}
		return err
	})
	return report, err
}

// compare decides the history anew and gives where the result is not what is booked.
func compare(history History, rules *rule.Set, period Period, events *int) []Difference {
	decisions := decision.Run(history.Events, rules, history.Rejected)
	expected := expectedOf(decisions, history.Rejected)
	var out []Difference
	for _, d := range decisions {
		e := d.Event
		if !period.holds(e.OccurredAt()) {
			continue
		}
		*events++
		if e.Type().Reverses() {
			continue
		}
		for _, currency := range currencies(e.ID(), expected, history.Booked) {
			key := Money{EventID: e.ID(), Currency: currency.String()}
			if expected[key] != history.Booked[key] {
				out = append(out, Difference{
					UserID: e.UserID(), EventID: e.ID(), EventType: e.Type(), OccurredAt: e.OccurredAt(), Currency: currency,
					Expected: expected[key], Booked: history.Booked[key],
				})
			}
		}
	}
	return out
}

// expectedOf sums what decisions bring, by the event that the money belongs to. What was rejected by hand brings nothing.
func expectedOf(decisions []decision.Decision, rejected map[string]bool) map[Money]int64 {
	sums := map[Money]int64{}
	for _, d := range decisions {
		if d.Outcome == decision.Commissioned && !rejected[d.Root()] {
			sums[Money{EventID: d.Root(), Currency: d.Currency.String()}] += d.Amount.Minor()
		}
	}
	return sums
}

// currencies gives those in which there is anything about the event, in order.
func currencies(eventID string, sums ...map[Money]int64) []money.Currency {
	var out []money.Currency
	for _, sum := range sums {
		for key := range sum {
			if key.EventID != eventID {
				continue
			}
			if c, err := money.ParseCurrency(key.Currency); err == nil && !slices.Contains(out, c) {
				out = append(out, c)
			}
		}
	}
	slices.SortFunc(out, func(a, b money.Currency) int { return cmp.Compare(a.String(), b.String()) })
	return out
}

func (h *Handler) adjustments(differences []Difference, reason string) []commission.Commission {
	now := h.now().UTC().Truncate(time.Microsecond)
	out := make([]commission.Commission, len(differences))
	for i, d := range differences {
		out[i] = commission.Restore(commission.State{
			ID: h.newID(), EventID: d.EventID, UserID: d.UserID, EventType: d.EventType, Kind: commission.Adjustment, Status: commission.Approved,
			Base: money.FromMinor(0, d.Currency), Amount: money.FromMinor(d.Expected-d.Booked, d.Currency), Reason: reason,
			AvailableAt: now, OccurredAt: d.OccurredAt, CreatedAt: now, Version: 1,
		})
	}
	return out
}

// Trial is what a user would have earned by other rules.
type Trial struct {
	UserID   string
	Currency string
	Present  int64 // by the rules as they stand
	Trial    int64 // with the trial rule among them
}

// WhatIf decides the period by the rules as they stand and once more with a version that is not published. It writes nothing.
func (h *Handler) WhatIf(ctx context.Context, period Period, def rule.Definition) ([]Trial, error) {
	if err := period.Check(); err != nil {
		return nil, err
	}
	present, err := h.store.Rules(ctx)
	if err != nil {
		return nil, err
	}
	trial, err := publish.Build(present, def, publish.Terms{NewID: "00000000-0000-0000-0000-000000000000", Now: period.From})
	if err != nil {
		return nil, err
	}
	var out []Trial
	err = h.store.Histories(ctx, period, func(history History) error {
		out = append(out, tryOut(history, present, present.With(trial), period)...)
		return nil
	})
	return out, err
}

func tryOut(history History, present, trial *rule.Set, period Period) []Trial {
	inside := map[string]bool{}
	for _, e := range history.Events {
		inside[e.ID()] = period.holds(e.OccurredAt())
	}
	sums := map[string]*Trial{}
	for i, set := range []*rule.Set{present, trial} {
		for key, minor := range expectedOf(decision.Run(history.Events, set, history.Rejected), history.Rejected) {
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
