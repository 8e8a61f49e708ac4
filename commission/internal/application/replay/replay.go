// Package replay (application) decides a period again by the current rules and compares the result:
// with what is posted (replay), or with a trial rule (what-if). A replay posts adjustments and
// never edits.
package replay

import (
	"context"
	"fmt"
	"slices"
	"time"

	"tributary/commission/internal/application/change"
	"tributary/commission/internal/domain/commission"
	"tributary/commission/internal/domain/decision"
	"tributary/commission/internal/domain/effect"
	"tributary/commission/internal/domain/event"
	"tributary/commission/internal/domain/rule"
	"tributary/platform/fault"
	"tributary/platform/money"
)

// History is everything known of a user: the rules, the decisions in the order in which the events
// occurred, and what is posted for each.
type History struct {
	Rules     *rule.Set
	UserID    string
	Decisions []Standing
	// what is posted for the event, including adjustments, without rejected rows, in minor units
	Booked map[Money]int64
	Manual decision.Manual
	Usage  map[decision.UsageKey]decision.Usage
	// Commissions reads commissions with their followers, as they are under the user's lock.
	Commissions func(ids []string) ([]commission.Commission, error)
}

// Standing is the effective decision about an event: that of the last replay, or the first one
// without a replay. Later reversals use it.
type Standing struct {
	decision.Decision

	// the commission that clawbacks reverse: the earning, or the first adjustment without one; ""
	// without either
	CommissionID string
}

// Money is the money that belongs to an event.
type Money struct {
	EventID  string
	Currency string
}

// Booking is what a replay writes for a user.
type Booking struct {
	Now         time.Time // of the transaction: a month that ended before it does not change
	Adjustments []commission.Snapshot
	Effect      effect.Effect // of the adjustments
	// the new effective decisions that differ from the old ones
	Standing []Standing
	Usage    map[decision.UsageKey]decision.Usage // differences
}

// Store reads histories and posts the results of a replay.
type Store interface {
	// Rules returns all published versions.
	Rules(ctx context.Context) (*rule.Set, error)
	// Users returns the users with events in the period, in order.
	Users(ctx context.Context, period Period) ([]string, error)
	// Rebook calls fn with the history of a user, of at most MaxEvents + 1 events, and stores what
	// fn returns, with an audit row for each adjustment, in one transaction that excludes other
	// writers of the user. Rebook returns the adjustments. After an error nothing is stored.
	Rebook(
		ctx context.Context,
		request change.Request,
		userID string,
		fn func(History) (Booking, error),
	) ([]commission.Snapshot, error)
}

// Period is a half-open range of times of occurrence.
type Period struct{ From, To time.Time }

func (p Period) holds(t time.Time) bool { return !t.Before(p.From) && t.Before(p.To) }

// Check returns a fault if the period is empty or reversed.
func (p Period) Check() error {
	var faults fault.Fields
	if p.From.IsZero() {
		faults.Add("from", fault.ErrRequired, "is required")
	}

	if !p.To.After(p.From) {
		faults.Add("to", fault.ErrNotAfter, "must be after from")
	}

	return faults.Err()
}

// Limits of one call.
const (
	MaxEvents      = 1_000_000 // of the users of the period, at any time
	MaxDifferences = 10_000
)

// ErrTooLarge is returned for a period beyond the limits.
var ErrTooLarge = fault.Define(
	fault.Invalid,
	"replay_too_large",
	"The period has too many events or differences for one replay. Nothing was posted. Choose a "+
		"shorter period.",
)

func errTooLarge() error {
	return ErrTooLarge.New(
		fmt.Sprintf(
			"The users of the period have more than %d events, or more than %d differences; "+
				"nothing was posted. Choose a shorter period.",
			MaxEvents,
			MaxDifferences,
		),
	)
}

// Difference is the difference between what an event should have earned and what it has.
type Difference struct {
	Event    event.Event
	Currency money.Currency
	Expected int64
	Booked   int64
}

// Report is the outcome of a replay. It contains no time and no new id, so that the same input has
// the same report.
type Report struct {
	Period      Period
	Events      int // in the period
	Users       int
	Differences []Difference
}

// Handler replays periods and tries rules out. It is safe for concurrent use.
type Handler struct {
	store Store
	now   func() time.Time
	newID func() string
}

// New returns a handler. newID returns unique ids.
func New(store Store, now func() time.Time, newID func() string) *Handler {
	return &Handler{store: store, now: now, newID: newID}
}

// Replay decides the period again, user by user. With apply it posts the differences as adjustments
// and updates the effective decisions; a second call changes nothing. A period that is too large is
// refused before anything is posted. After a failure some users may be posted and others not; each
// posting is whole and audited, and the next call does the rest.
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
			return h.booking(history, found, request)
		})
		if err != nil {
			return report, err
		}

		report.Differences = append(report.Differences, found.differences...)
	}

	return report, nil
}

// each calls fn with the histories of the users of the period one by one, and posts nothing.
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

// booking returns the adjustments. The first one of an event without a commission takes the place
// of an earning: clawbacks reverse it, and it is pending until the end of its rule's hold period.
// All others belong to the existing commission, and are pending while that is.
func (h *Handler) booking(
	history History,
	found comparison,
	request change.Request,
) (Booking, error) {
	b := Booking{Now: h.now().UTC().Truncate(time.Microsecond), Usage: found.usage}
	request.Now = b.Now

	changed := map[string]*Standing{}
	for i := range found.changed {
		changed[found.changed[i].Event.ID()] = &found.changed[i]
	}

	roots, err := found.roots(history, changed)
	if err != nil {
		return b, err
	}

	for _, d := range found.differences {
		made, caused, err := h.adjust(d, changed[d.Event.ID()], roots, request)
		if err != nil {
			return b, err
		}

		b.Adjustments = append(b.Adjustments, made)
		b.Effect.Add(caused)
	}

	b.Standing = found.changed

	return b, nil
}

// roots returns the commissions of the events with a difference, by id.
func (c comparison) roots(
	history History,
	changed map[string]*Standing,
) (map[string]*commission.Commission, error) {
	var ids []string
	for _, d := range c.differences {
		if id := changed[d.Event.ID()].CommissionID; id != "" && !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}

	roots := map[string]*commission.Commission{}
	if len(ids) == 0 {
		return roots, nil
	}

	found, err := history.Commissions(ids)
	for i := range found {
		roots[found[i].Snapshot().ID] = &found[i]
	}

	return roots, err
}

// adjust makes the adjustment of a difference of the event whose effective decision is s.
func (h *Handler) adjust(
	d Difference,
	s *Standing,
	roots map[string]*commission.Commission,
	request change.Request,
) (commission.Snapshot, effect.Effect, error) {
	origin := commission.Origin{ID: h.newID(), Now: request.Now}
	correction := commission.Correction{
		Event:       d.Event,
		Amount:      money.FromMinor(d.Expected-d.Booked, d.Currency),
		AvailableAt: s.AvailableAt,
		Reason:      request.Reason,
	}

	if root, ok := roots[s.CommissionID]; ok {
		return root.Correct(correction, origin)
	}

	if s.CommissionID != "" {
		return commission.Snapshot{}, effect.Effect{}, fmt.Errorf(
			"commission %s of event %s is not there",
			s.CommissionID,
			d.Event.ID(),
		)
	}

	made, caused, err := commission.NewCorrection(correction, origin)
	s.CommissionID = origin.ID
	roots[origin.ID] = &made

	return made.Snapshot(), caused, err
}
