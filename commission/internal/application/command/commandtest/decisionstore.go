package commandtest

import (
	"context"
	"slices"
	"strings"

	"tributary/commission/internal/application/command"
	"tributary/commission/internal/domain/commission"
	"tributary/commission/internal/domain/decision"
	"tributary/commission/internal/domain/event"
)

var _ command.Decisions = (*Store)(nil)

// Decide implements command.Decisions. The store is locked for all users. Usage follows from the
// decisions and is not kept.
func (s *Store) Decide(
	_ context.Context,
	events []event.Event,
	decide func(command.DecisionState) (command.DecisionChanges, error),
) error {
	s.mu.Lock()
	defer s.mu.Unlock()

	changes, err := decide(s.state(events))
	if err != nil {
		return err
	}

	for _, d := range changes.Decisions {
		if !storable(d.Event) {
			return command.ErrNotStorable
		}
	}

	for _, d := range changes.Decisions {
		s.decidedAt[d.Event.ID()] = changes.Now
	}

	for _, d := range append(changes.Decisions, changes.Resolved...) {
		s.decisions[d.Event.ID()] = d
	}

	for _, c := range append(changes.Commissions, changes.Moved...) {
		s.commissions[c.ID] = c
	}

	s.post(changes.Transfers, changes.Now)

	return nil
}

// storable reports whether a database can store the texts of the event.
func storable(e event.Event) bool {
	f := e.Snapshot()
	return !strings.Contains(f.ID+f.UserID+f.CampaignID+f.ProductID+f.OrderID+f.OriginalID, "\x00")
}

// state returns what the decisions about the events depend on.
func (s *Store) state(events []event.Event) command.DecisionState {
	state := command.DecisionState{
		Rules:    s.rules,
		Accounts: decision.NewAccounts(len(events)),
		Earnings: map[string]*commission.Commission{},
	}
	required := decision.Require(events)

	var decided []string

	for _, e := range required.Events {
		if _, known := s.decisions[e.ID]; known {
			decided = append(decided, e.ID)
		}
	}

	state.Accounts.LoadDecided(required, decided)
	state.Accounts.LoadParked(required, s.parked(required))

	found := s.originals(required)
	state.Accounts.LoadOriginals(required, found)

	for _, o := range found {
		s.loadEarning(o.Decision, &state)
	}

	for key := range state.Accounts.RequiredUsage(events, s.rules) {
		state.Accounts.LoadUsage(key, s.usage(key))
	}

	return state
}

// selected returns the decisions for which is returns true, in the order in which the events
// occurred.
func (s *Store) selected(is func(command.Decided) bool) []command.Decided {
	var found []command.Decided

	for _, d := range s.decisions {
		if is(d) {
			found = append(found, d)
		}
	}

	slices.SortFunc(found, func(a, b command.Decided) int {
		return decision.Chronological(a.Event, b.Event)
	})

	return found
}

// parked returns the reversals that wait for the required events and orders.
func (s *Store) parked(required decision.Required) []event.Event {
	var found []event.Event

	for _, d := range s.selected(func(d command.Decided) bool {
		e := d.Event.Snapshot()
		named := decision.Ref{UserID: e.UserID, ID: e.OriginalID}

		return d.Outcome == decision.Parked && (slices.Contains(required.Events, named) ||
			e.OriginalID == "" && slices.Contains(required.Sold, e.Order()))
	}) {
		found = append(found, d.Event)
	}

	return found
}

// originals returns the events and sales that the required reversals name, and those that took the
// orders of the events.
func (s *Store) originals(required decision.Required) []decision.Original {
	takers := map[string]bool{}

	for _, named := range required.Originals {
		takers[s.decisions[named.ID].OrderTakenBy] = true
	}

	var found []decision.Original

	for _, d := range s.selected(func(d command.Decided) bool {
		e := d.Event.Snapshot()

		return takers[e.ID] ||
			slices.Contains(required.Originals, decision.Ref{UserID: e.UserID, ID: e.ID}) ||
			e.Type.Sells() && e.OrderID != "" && slices.Contains(required.Orders, e.Order())
	}) {
		found = append(found, s.original(d))
	}

	return found
}

// original returns the decision with what reversals have reversed.
func (s *Store) original(d command.Decided) decision.Original {
	o := decision.Original{Decision: d.Decision, HasCommission: d.CommissionID != ""}

	for _, reversal := range s.decisions {
		if reversal.Event.Type().Reverses() && reversal.OriginalID == d.Event.ID() &&
			reversal.Counts() {
			o.Reversed += reversal.Base.Minor()
			o.Times++
		}
	}

	return o
}

// loadEarning adds the commission of the event, if there is one.
func (s *Store) loadEarning(d decision.Decision, state *command.DecisionState) {
	known := s.decisions[d.Event.ID()]
	if known.CommissionID == "" || !d.Earned() {
		return
	}

	c := commissions{s}.family(known.CommissionID)
	state.Earnings[d.Event.ID()] = &c

	if c.Snapshot().Status == commission.Rejected {
		state.Accounts.Reject(decision.Ref{UserID: d.Event.UserID(), ID: d.Event.ID()})
	}
}

// usage returns the state of the account.
func (s *Store) usage(key decision.UsageKey) decision.Usage {
	var all []decision.Decision

	rejected := map[string]bool{}

	for _, d := range s.selected(func(d command.Decided) bool {
		return d.Event.UserID() == key.UserID
	}) {
		all = append(all, d.Decision)
		rejected[d.Event.ID()] = s.commissions[d.CommissionID].Status == commission.Rejected
	}

	return decision.UsageOf(all, s.rules, rejected)[key]
}
