// Package replay decides a period anew by the rules as they stand and compares: with what is booked
// (replay), or with a trial rule (what-if). Applying a replay books adjustments and never edits.
// Application layer.
package replay

import (
	"context"
	"fmt"
	"time"

	"tributary/commission/internal/application/change"
	"tributary/commission/internal/domain/commission"
	"tributary/commission/internal/domain/decision"
	"tributary/commission/internal/domain/event"
	"tributary/commission/internal/domain/rule"
	"tributary/platform/fault"
	"tributary/platform/money"
)

// History is all that is known of a user: the rules, the decisions in the order in which the events
// occurred, and what is booked for each.
type History struct {
	Rules     *rule.Set
	UserID    string
	Decisions []Standing
	// what stands for the event, adjustments included and rejected rows left out, in minor units
	Booked map[Money]int64
	Manual decision.Manual
	Usage  map[decision.UsageKey]decision.Usage
}

// Standing is the decision that stands about an event: what the last replay made of it, and the
// first one where none has. Reversals that come later go by it.
type Standing struct {
	decision.Decision

	// what clawbacks take from: the earning, or without one the first adjustment; "" for none
	CommissionID string
}

// Money is the money that belongs to an event.
type Money struct {
	EventID  string
	Currency string
}

// Booking is what a replay writes about a user.
type Booking struct {
	Adjustments []commission.Commission
	// what stands from now on, where it is not what stood
	Standing []Standing
	Usage    map[decision.UsageKey]decision.Usage // differences
}

// Store reads histories and books what replay makes of them.
type Store interface {
	// Rules gives all published versions as they stand.
	Rules(ctx context.Context) (*rule.Set, error)
	// Users gives those who have events in the period, in order.
	Users(ctx context.Context, period Period) ([]string, error)
	// Rebook gives fn the history of a user, of MaxEvents + 1 events at most, and stores what fn
	// makes of it, with an audit row for each adjustment: all in one transaction that excludes
	// other writers of the user. An adjustment of what is pending or held becomes pending. It gives
	// the adjustments as they were stored. An error stores nothing.
	Rebook(
		ctx context.Context,
		request change.Request,
		userID string,
		fn func(History) (Booking, error),
	) ([]commission.Commission, error)
}

// Period is a half-open span of times of occurrence.
type Period struct{ From, To time.Time }

func (p Period) holds(t time.Time) bool { return !t.Before(p.From) && t.Before(p.To) }

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

// What one call decides and answers at most.
const (
	MaxEvents      = 1_000_000 // of the users of the period, in all their time
	MaxDifferences = 10_000
)

// TooLarge is the code of a period that is beyond them.
const TooLarge = "replay_too_large"

func errTooLarge() error {
	return fault.New(
		fault.Invalid,
		TooLarge,
		fmt.Sprintf(
			"The users of the period have more than %d events, or more than %d differences; "+
				"nothing was booked. Choose a shorter period.",
			MaxEvents,
			MaxDifferences,
		),
	)
}

// Difference is what an event should have brought and has not.
type Difference struct {
	Event    event.Event
	Currency money.Currency
	Expected int64
	Booked   int64
}

// Report is the outcome of a replay. It holds no time and no new id, so that the same input gives
// the same report.
type Report struct {
	Period      Period
	Events      int // in the period
	Users       int
	Differences []Difference
}

// Handler replays. It is safe for concurrent use.
type Handler struct {
	store Store
	newID func() string
}

// New makes a handler.
func New(store Store, newID func() string) *Handler { return &Handler{store: store, newID: newID} }

// Replay decides the period anew, user by user. With apply it books the differences as adjustments,
// and brings what stands for later events in line: doing it twice changes nothing. A period that is
// too large is refused before anything is booked. A failure may leave some users booked and others
// not; each booking is whole and audited, and the next call does the rest.
func (h *Handler) Replay(
	ctx context.Context,
	request change.Request,
	period Period,
	apply bool,
) (Report, error) {
	report := Report{Period: period}

	var differing []string

	err := h.each(ctx, period, func(history History) error {
		found := compare(history, period)
		report.Users++
		report.Events += found.events

		report.Differences = append(report.Differences, found.differences...)
		if !found.nothing() {
			differing = append(differing, history.UserID)
		}

		if len(report.Differences) > MaxDifferences {
			return errTooLarge()
		}

		return nil
	})
	if err != nil || !apply {
		return report, err
	}

	report.Differences = nil
	for _, userID := range differing {
		var found comparison

		_, err := h.store.Rebook(ctx, request, userID, func(history History) (Booking, error) {
			found = compare(history, period)
			return h.booking(found, request), nil
		})
		if err != nil {
			return report, err
		}

		report.Differences = append(report.Differences, found.differences...)
	}

	return report, nil
}

// each gives fn the histories of the users of the period one by one, and books nothing.
func (h *Handler) each(ctx context.Context, period Period, fn func(History) error) error {
	if err := period.Check(); err != nil {
		return err
	}

	users, err := h.store.Users(ctx, period)
	if err != nil {
		return err
	}

	events := 0
	for _, userID := range users {
		_, err := h.store.Rebook(
			ctx,
			change.Request{},
			userID,
			func(history History) (Booking, error) {
				if events += len(history.Decisions); events > MaxEvents {
					return Booking{}, errTooLarge()
				}

				return Booking{}, fn(history)
			},
		)
		if err != nil {
			return err
		}
	}

	return nil
}

// booking makes the adjustments. The first one of an event without a commission stands in for it:
// clawbacks will take from it, and it waits for the end of the hold of its rule. All others belong
// to what there is.
func (h *Handler) booking(found comparison, request change.Request) Booking {
	b := Booking{Usage: found.usage}

	stands := map[string]*Standing{}
	for _, s := range found.changed {
		stands[s.Event.ID()] = &s
	}

	for _, d := range found.differences {
		s := stands[d.Event.ID()]

		made := adjustment(d, s, request)
		made.ID = h.newID()

		b.Adjustments = append(b.Adjustments, commission.Restore(made))
		if s.CommissionID == "" {
			s.CommissionID = made.ID
		}
	}

	for _, s := range found.changed {
		b.Standing = append(b.Standing, *stands[s.Event.ID()])
	}

	return b
}

// adjustment makes good a difference of the event about which s stands.
func adjustment(d Difference, s *Standing, request change.Request) commission.State {
	f := d.Event.Facts()

	made := commission.State{
		EventID:     f.ID,
		UserID:      f.UserID,
		CampaignID:  f.CampaignID,
		ProductID:   f.ProductID,
		OrderID:     f.OrderID,
		EventType:   f.Type,
		Kind:        commission.Adjustment,
		Status:      commission.Approved,
		Base:        money.FromMinor(0, d.Currency),
		Amount:      money.FromMinor(d.Expected-d.Booked, d.Currency),
		ReversesID:  s.CommissionID,
		Reason:      request.Reason,
		AvailableAt: request.Now,
		OccurredAt:  f.OccurredAt,
		CreatedAt:   request.Now,
		Version:     1,
	}
	if s.CommissionID == "" && s.AvailableAt.After(request.Now) {
		made.Status, made.AvailableAt = commission.Pending, s.AvailableAt
	}

	return made
}
