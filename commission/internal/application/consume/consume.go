// Package consume turns batches of tracking events into decisions, commissions and ledger
// transfers. Application layer.
package consume

import (
	"context"
	"fmt"
	"time"

	"tributary/commission/internal/domain/commission"
	"tributary/commission/internal/domain/decision"
	"tributary/commission/internal/domain/event"
	"tributary/commission/internal/domain/ledger"
	"tributary/commission/internal/domain/rule"
	"tributary/platform/fault"
)

// State is what the decisions about a batch depend on, locked against other writers until the batch
// is stored.
type State struct {
	Rules *rule.Set
	Books *decision.Books
	// by event id: the earnings that reversals of the batch may take back
	Earnings map[string]*Earning
}

// Earning is a commission that a clawback can take from, and what is left of it with all
// adjustments. It is itself an adjustment where replay gave what the first decision had not.
type Earning struct {
	commission.State

	Net int64
}

// Decided is a decision with the commission that it made, "" for none.
type Decided struct {
	decision.Decision

	CommissionID string
}

// Changes is everything that a batch writes, in one transaction.
type Changes struct {
	Now         time.Time
	Decisions   []Decided // new ones
	Resolved    []Decided // of reversals that had been parked
	Commissions []commission.Commission
	// ids of earnings of which nothing is left; their clawbacks are settled with them
	Reversed  []string
	Transfers []ledger.Transfer
	Usage     map[decision.UsageKey]decision.Usage // differences
}

// NotStorable is the code of a fault that says: this batch holds something that the database will
// never take.
const NotStorable = "event_not_storable"

// Store keeps decisions and what follows from them.
type Store interface {
	// Decide loads the state that the events touch, lets decide make changes, and stores them, all
	// in one transaction that excludes other writers of the same users. decide may run several
	// times; only the changes of its last run are stored. An error stores nothing: a fault with
	// code NotStorable when trying again is useless, any other error when it is not.
	Decide(ctx context.Context, events []event.Event, decide func(State) (Changes, error)) error
}

// Handler decides events. It is safe for concurrent use.
type Handler struct {
	store Store
	now   func() time.Time
	newID func() string
}

// New makes a handler. newID gives time-ordered unique ids.
func New(store Store, now func() time.Time, newID func() string) *Handler {
	return &Handler{store: store, now: now, newID: newID}
}

// Refused is an event that can never be stored.
type Refused struct {
	Event event.Event
	Err   error
}

// Handle decides the events in their order and stores the result; events that have a decision are
// left alone. Events that can never be stored are found by halving the batch and given back; the
// others are stored. An error means that trying again makes sense: it is harmless, because what was
// stored is left alone.
func (h *Handler) Handle(ctx context.Context, events []event.Event) ([]Refused, error) {
	if len(events) == 0 {
		return nil, nil
	}

	err := h.store.Decide(
		ctx,
		events,
		func(s State) (Changes, error) { return h.decide(s, events) },
	)
	switch {
	case err == nil:
		return nil, nil
	case !fault.Is(err, NotStorable):
		return nil, err
	case len(events) == 1:
		return []Refused{{Event: events[0], Err: err}}, nil
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

func (h *Handler) decide(s State, events []event.Event) (Changes, error) {
	run := run{State: s, newID: h.newID, changes: newChanges(h.now(), s.Books, events)}
	for e, waited := range s.Books.Undecided(events) {
		into := &run.changes.Decisions
		if waited {
			into = &run.changes.Resolved
		}

		if err := run.take(e, into); err != nil {
			return Changes{}, err
		}
	}

	run.changes.Usage = s.Books.Changes()

	return run.changes, nil
}

// newChanges has room for what the events that have no decision yet make, if each earns.
func newChanges(now time.Time, books *decision.Books, events []event.Event) Changes {
	open := 0
	for _, e := range events {
		if !books.Decided(e.ID()) {
			open++
		}
	}

	return Changes{
		Now:         now.UTC().Truncate(time.Microsecond),
		Decisions:   make([]Decided, 0, open),
		Commissions: make([]commission.Commission, 0, open),
		Transfers:   make([]ledger.Transfer, 0, open),
	}
}

// run gathers the changes of one batch.
type run struct {
	State

	newID   func() string
	changes Changes
}

// take decides one event and notes everything that follows.
func (r *run) take(e event.Event, into *[]Decided) error {
	d := Decided{Decision: decision.Decide(e, r.Rules, r.Books.Account(e))}
	r.Books.Record(d.Decision, r.Rules)

	if d.Outcome == decision.Commissioned {
		made, err := r.commission(d.Decision)
		if err != nil {
			return err
		}

		d.CommissionID = made.State().ID

		r.changes.Commissions = append(r.changes.Commissions, made)

		transfer, err := made.Transfer()
		if err != nil {
			return err
		}

		r.changes.Transfers = append(r.changes.Transfers, transfer)
	}

	*into = append(*into, d)

	return nil
}

func (r *run) commission(d decision.Decision) (commission.Commission, error) {
	terms := commission.Terms{ID: r.newID(), Now: r.changes.Now}
	if applied, ok := r.Rules.Find(d.Rule); ok {
		if rate, single := applied.Rate(); single {
			terms.Rate = rate.String()
		}
	}

	if !d.Clawed() {
		made := commission.FromDecision(d, terms)
		r.Earnings[d.Event.ID()] = &Earning{State: made.State(), Net: d.Amount.Minor()}

		return made, nil
	}

	earning := r.Earnings[d.OriginalID]
	if earning == nil {
		return commission.Commission{}, fmt.Errorf(
			"event %s takes back %s, which has no earning",
			d.Event.ID(),
			d.OriginalID,
		)
	}

	terms.Earner = &earning.State
	made := commission.FromDecision(d, terms)

	earning.Net += d.Amount.Minor()
	if earning.Net == 0 && earning.Kind == commission.Earning &&
		earning.Status != commission.Reversed {
		earning.Status = commission.Reversed
		r.changes.Reversed = append(r.changes.Reversed, earning.ID)
	}

	return made, nil
}
