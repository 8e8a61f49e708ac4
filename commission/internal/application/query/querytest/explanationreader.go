package querytest

import (
	"cmp"
	"context"
	"slices"
	"time"

	"tributary/commission/internal/application/change"
	"tributary/commission/internal/application/query"
	"tributary/commission/internal/domain/commission"
	"tributary/commission/internal/domain/decision"
	"tributary/commission/internal/domain/event"
	"tributary/commission/internal/domain/rule"
)

// RulesAt implements query.ExplanationReader.
func (r Reader) RulesAt(ctx context.Context, revision int64) (*rule.Set, error) {
	return r.store.RulesAt(ctx, revision)
}

// History implements query.ExplanationReader.
func (r Reader) History(
	_ context.Context,
	subjectType, subjectID string,
) ([]change.Record, error) {
	return slices.DeleteFunc(r.store.Records(), func(record change.Record) bool {
		return record.SubjectType != subjectType || record.SubjectID != subjectID
	}), nil
}

// EventsOf implements query.ExplanationReader.
func (r Reader) EventsOf(
	_ context.Context,
	owner query.Owner,
	known time.Time,
) ([]event.Event, error) {
	user, _ := owner.UserID()

	var events []event.Event

	for _, d := range r.store.Content().Decisions {
		if d.Event.UserID() == user && !d.DecidedAt.After(known) {
			events = append(events, d.Event)
		}
	}

	return events, nil
}

// Before implements query.ExplanationReader.
func (r Reader) Before(
	ctx context.Context,
	adjustment commission.Snapshot,
) (query.Before, error) {
	made := r.replays[adjustment.ReplayID]
	rules, err := r.store.RulesAt(ctx, made.Revision)
	known := adjustment.CreatedAt

	return query.Before{
		Known:   known,
		Replay:  made,
		Rules:   rules,
		Posted:  r.posted(adjustment),
		Related: r.related(adjustment.EventID, known),
		Manual:  r.manual(adjustment, known),
	}, err
}

// posted returns what had been posted for the event of the adjustment and for its reversals.
func (r Reader) posted(adjustment commission.Snapshot) []commission.Snapshot {
	content := r.store.Content()
	of := []string{adjustment.EventID}

	for _, d := range content.Decisions {
		if d.OriginalID == adjustment.EventID {
			of = append(of, d.Event.ID())
		}
	}

	rows := slices.DeleteFunc(content.Commissions, func(c commission.Snapshot) bool {
		act := r.lastAct(cmp.Or(c.ReversesID, c.ID), adjustment.CreatedAt)

		return c.UserID != adjustment.UserID || !slices.Contains(of, c.EventID) ||
			c.Amount.Currency() != adjustment.Amount.Currency() || c.ID >= adjustment.ID ||
			act == commission.Reject
	})
	slices.SortFunc(rows, func(a, b commission.Snapshot) int { return cmp.Compare(a.ID, b.ID) })

	return rows
}

// related returns the event, those of its order, and the reversals of them.
func (r Reader) related(eventID string, known time.Time) []event.Event {
	decisions := slices.DeleteFunc(r.store.Content().Decisions, func(d query.Decided) bool {
		return d.DecidedAt.After(known)
	})

	own, err := first(decisions, decision.ErrNotFound, func(d query.Decided) bool {
		return d.Event.ID() == eventID
	})
	if err != nil {
		return nil
	}

	order := own.Event.Snapshot().Order()
	ofOrder := func(d query.Decided) bool {
		return d.Event.ID() == eventID || order.Number != "" && d.Event.Snapshot().Order() == order
	}

	var events []event.Event

	for _, d := range decisions {
		reverses := slices.ContainsFunc(decisions, func(sold query.Decided) bool {
			return d.OriginalID == sold.Event.ID() && ofOrder(sold)
		})
		if ofOrder(d) || reverses {
			events = append(events, d.Event)
		}
	}

	return events
}

// manual returns what operators had decided about the user's events by the time.
func (r Reader) manual(adjustment commission.Snapshot, known time.Time) decision.Manual {
	manual := decision.Manual{Rejected: map[string]bool{}, Keeps: map[string]bool{}}

	for _, c := range r.store.Content().Commissions {
		if c.UserID != adjustment.UserID || c.ReversesID != "" || c.EventID == "" {
			continue
		}

		switch act := r.lastAct(c.ID, known); {
		case act == commission.Reject:
			manual.Rejected[c.EventID] = true
			manual.Keeps[c.EventID] = true
		case act == commission.Hold && c.OrderID == adjustment.OrderID:
			manual.Keeps[c.EventID] = true
		}
	}

	return manual
}

// lastAct returns what an operator did last to the commission by the time, or "".
func (r Reader) lastAct(commissionID string, known time.Time) (last commission.Action) {
	for _, record := range r.store.Records() {
		if record.SubjectType == "commission" && record.SubjectID == commissionID &&
			!record.At.After(known) {
			last = commission.Action(record.Action)
		}
	}

	return last
}
