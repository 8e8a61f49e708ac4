package command

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"tributary/commission/internal/application/change"
	"tributary/commission/internal/domain/commission"
	"tributary/commission/internal/domain/decision"
	"tributary/commission/internal/domain/effect"
	"tributary/commission/internal/domain/event"
	"tributary/commission/internal/domain/ledger"
	"tributary/commission/internal/domain/rule"
	"tributary/platform/fault"
)

// DecisionState is what the decisions about a batch depend on, locked against other writers until
// the batch is stored.
type DecisionState struct {
	Rules    *rule.Set
	Accounts *decision.Accounts // with all that the events require
	// By event id: the commissions that reversals of the batch may reverse.
	Earnings map[string]*commission.Commission
}

// Decided is a decision with the id of its commission, or "".
type Decided struct {
	decision.Decision

	CommissionID string
}

// DecisionChanges is everything that a batch writes, in one transaction.
type DecisionChanges struct {
	Now         time.Time
	Decisions   []Decided             // new ones
	Resolved    []Decided             // of reversals that had been parked
	Commissions []commission.Snapshot // new ones
	Moved       []commission.Snapshot // those whose status has changed, originals before followers
	Transfers   []ledger.Transfer
	Facts       []change.CausedFact                  // in the order of the decisions, each caused by its event
	Usage       map[decision.UsageKey]decision.Usage // differences
}

// ErrNotStorable is returned for a batch with content that the database can never store, or that
// contradicts what it stores.
var ErrNotStorable = fault.Define(
	fault.Invalid,
	"event_not_storable",
	"The database cannot store this content; nothing was stored.",
)

// Decisions is the repository of decisions and of what they cause.
type Decisions interface {
	// Decide loads the state of the events, calls decide, and stores its changes, all in one
	// transaction that excludes other writers of the same users. decide may be called several
	// times; only the changes of its last call are stored. After an error nothing is stored:
	// ErrNotStorable is returned if a retry is useless, and any other error if it is not.
	Decide(
		ctx context.Context,
		events []event.Event,
		decide func(DecisionState) (DecisionChanges, error),
	) error
}

// ConsumeEvents turns batches of tracking events into decisions, commissions and ledger transfers.
type ConsumeEvents struct {
	decisions Decisions
	now       func() time.Time
	newID     func() string
}

// NewConsumeEvents returns the handler, which is safe for concurrent use. newID returns unique,
// time-ordered ids.
func NewConsumeEvents(
	decisions Decisions,
	now func() time.Time,
	newID func() string,
) *ConsumeEvents {
	return &ConsumeEvents{decisions: decisions, now: now, newID: newID}
}

// RefusedEvent is an event that can never be stored.
type RefusedEvent struct {
	Event event.Event
	Err   error
}

// Handle decides the events in their order and stores the result. Events with a decision are
// skipped. Events that can never be stored are found by halving the batch and returned; the others
// are stored. After an error a retry makes sense; it is harmless, because stored events are
// skipped.
func (h *ConsumeEvents) Handle(ctx context.Context, events []event.Event) ([]RefusedEvent, error) {
	if len(events) == 0 {
		return nil, nil
	}

	err := h.decisions.Decide(
		ctx,
		events,
		func(s DecisionState) (DecisionChanges, error) { return h.decide(s, events) },
	)
	switch {
	case err == nil:
		return nil, nil
	case !errors.Is(err, ErrNotStorable):
		return nil, err
	case len(events) == 1:
		return []RefusedEvent{{Event: events[0], Err: err}}, nil
	}

	first, err := h.Handle(ctx, events[:len(events)/2])
	if err != nil {
		return nil, err
	}

	second, err := h.Handle(ctx, events[len(events)/2:])
	if err != nil {
		return nil, err
	}

	return append(first, second...), nil
}

func (h *ConsumeEvents) decide(s DecisionState, events []event.Event) (DecisionChanges, error) {
	run := decisionRun{
		DecisionState: s,
		newID:         h.newID,
		changes:       newChanges(h.now(), s.Accounts, events),
	}

	if err := s.Accounts.Decide(events, s.Rules, run.take); err != nil {
		return DecisionChanges{}, err
	}

	for _, c := range run.touched {
		run.changes.Moved = append(run.changes.Moved, c.Moved()...)
	}

	run.changes.Usage = s.Accounts.Changes()

	return run.changes, nil
}

// newChanges returns changes with room for the results of all events without a decision, if each
// earns.
func newChanges(now time.Time, accounts *decision.Accounts, events []event.Event) DecisionChanges {
	open := 0
	for _, e := range events {
		if !accounts.Decided(e.ID()) {
			open++
		}
	}

	return DecisionChanges{
		Now:         now.UTC().Truncate(time.Microsecond),
		Decisions:   make([]Decided, 0, open),
		Commissions: make([]commission.Snapshot, 0, open),
		Transfers:   make([]ledger.Transfer, 0, open),
		Facts:       make([]change.CausedFact, 0, open),
	}
}

// decisionRun collects the changes of one batch.
type decisionRun struct {
	DecisionState

	newID   func() string
	changes DecisionChanges
	touched []*commission.Commission // those with a clawback of the batch
}

// take adds a decision and its consequences. waited reports whether the event was parked.
func (r *decisionRun) take(taken decision.Decision, waited bool) error {
	d := Decided{Decision: taken}
	fact := d.fact(waited)
	cause := change.ByTracking(d.Event.ID())

	if d.Outcome != decision.Commissioned {
		r.log(cause, fact)
		r.decided(d, waited)

		return nil
	}

	made, caused, err := r.commission(d.Decision)
	if err != nil {
		return ErrNotStorable.Because(err, "What is stored contradicts the event.")
	}

	d.CommissionID = made.ID
	fact.Status = string(made.Status)
	fact.Version = made.Version

	r.changes.Commissions = append(r.changes.Commissions, made)
	r.changes.Transfers = append(r.changes.Transfers, caused.Transfers...)
	r.log(cause, fact)
	r.log(cause, caused.Facts...)
	r.decided(d, waited)

	return nil
}

// log adds facts with their cause.
func (r *decisionRun) log(cause change.Cause, facts ...effect.Fact) {
	for _, fact := range facts {
		r.changes.Facts = append(r.changes.Facts, change.CausedFact{Fact: fact, Cause: cause})
	}
}

func (r *decisionRun) decided(d Decided, waited bool) {
	if waited {
		r.changes.Resolved = append(r.changes.Resolved, d)
	} else {
		r.changes.Decisions = append(r.changes.Decisions, d)
	}
}

// fact states that the event was decided, without a commission.
func (d *Decided) fact(waited bool) effect.Fact {
	f := effect.Fact{
		Type:      effect.DecisionMade,
		SubjectID: d.Event.ID(),
		UserID:    d.Event.UserID(),
		Status:    string(d.Outcome),
	}
	if waited {
		f.PreviousStatus = string(decision.Parked)
	}

	return f
}

// commission returns the new commission of the decision: an earning, or the clawback of one.
func (r *decisionRun) commission(d decision.Decision) (commission.Snapshot, effect.Effect, error) {
	origin := commission.Origin{ID: r.newID(), Now: r.changes.Now}
	if applied, ok := r.Rules.Find(d.Rule); ok {
		if rate, single := applied.Rate(); single {
			origin.Rate = rate.String()
		}
	}

	if !d.Clawed() {
		made, caused, err := commission.NewEarning(d, origin)
		r.Earnings[d.Event.ID()] = &made

		return made.Snapshot(), caused, err
	}

	earning := r.Earnings[d.OriginalID]
	if earning == nil {
		return commission.Snapshot{}, effect.Effect{}, fmt.Errorf(
			"event %s reverses %s, which has no earning",
			d.Event.ID(),
			d.OriginalID,
		)
	}

	if !slices.Contains(r.touched, earning) {
		r.touched = append(r.touched, earning)
	}

	return earning.ClawBack(d, origin)
}
