package replay

import (
	"tributary/commission/internal/domain/decision"
	"tributary/commission/internal/domain/event"
	"tributary/commission/internal/domain/replay"
)

// ahead is what a comparison has to know of an event's future: the reversals of it, the other sales
// of its order, and of a reversal that waits, its original.
type ahead struct {
	history History
	period  replay.Period
	ties    *decision.Ties
	inside  map[decision.Tie]bool   // orders with a sale in the period
	clawed  []int64                 // by the tie of the event, in minor units
	others  map[string]int64        // the same, by event without one: a reversal names its order
	late    map[string]lateDecision // by the reversal that waited
}

// lateDecision is the decision about a reversal that waited for its original.
type lateDecision struct {
	decision.Decision

	original event.Event
}

// final is the last decision about an event.
type final struct {
	decision.Decision

	inside   bool  // the event occurred in the period
	belongs  bool  // the replay decides the event
	expected int64 // of the event, after its reversals, in minor units
}

// lookAhead decides the history once, unless none of its events refers to another one.
func lookAhead(history History, parts Parts, period replay.Period) (ahead, error) {
	a := ahead{
		history: history,
		period:  period,
		ties:    parts.Ties,
		inside:  map[decision.Tie]bool{},
		clawed:  make([]int64, parts.Ties.Len()),
		others:  map[string]int64{},
		late:    map[string]lateDecision{},
	}
	if parts.Ties.None() {
		return a, nil
	}

	course := history.course(parts, history.Rules)

	for entry, err := range parts.Entries {
		if err != nil {
			return a, err
		}

		for d, waited := range course.Decide(entry.Event) {
			if !d.Event.Type().Reverses() {
				a.see(d.Event)
				continue
			}

			original, known := course.Original(d)
			if waited && known {
				a.late[d.Event.ID()] = lateDecision{Decision: d, original: original}
			}

			if d.Outcome == decision.Commissioned && !history.Manual.Rejected[d.OriginalID] {
				a.claw(d)
			}
		}
	}

	return a, nil
}

// claw adds a reversal to those of its original.
func (a ahead) claw(d decision.Decision) {
	if number, tied := a.ties.Number(decision.TieOf(d.OriginalID)); tied {
		a.clawed[number] += d.Amount.Minor()
	} else {
		a.others[d.OriginalID] += d.Amount.Minor()
	}
}

// clawedOf returns the sum of the reversals of the event.
func (a ahead) clawedOf(eventID string) int64 {
	if a.ties.None() {
		return 0
	}

	if number, tied := a.ties.Number(decision.TieOf(eventID)); tied {
		return a.clawed[number]
	}

	return a.others[eventID]
}

// see notes whether the order of a sale belongs to the period.
func (a ahead) see(e event.Event) {
	number := e.Snapshot().Order()
	if number.Number == "" || !a.period.Holds(e.OccurredAt()) {
		return
	}

	order := decision.TieOfOrder(number)
	if _, tied := a.ties.Number(order); tied {
		a.inside[order] = true
	}
}

// final returns the last decision about the event that the course decides.
func (a ahead) final(d decision.Decision, course *decision.Course) final {
	out := final{Decision: d, inside: a.period.Holds(d.Event.OccurredAt())}
	belongs := d.Event // in its stead

	if d.Event.Type().Reverses() {
		late, waited := a.late[d.Event.ID()]
		if waited {
			out.Decision = late.Decision
		}

		original, known := late.original, waited
		if !waited {
			original, known = course.Original(d)
		}

		if known && !original.Type().Reverses() {
			belongs = original
		}
	} else if id := d.Event.ID(); d.Outcome == decision.Commissioned &&
		!a.history.Manual.Rejected[id] {
		out.expected = d.Amount.Minor()
	}

	out.belongs = a.period.Holds(belongs.OccurredAt()) || a.orderInside(belongs)

	out.expected += a.clawedOf(d.Event.ID())

	return out
}

// orderInside reports whether a sale of the event's order occurred in the period.
func (a ahead) orderInside(e event.Event) bool {
	if len(a.inside) == 0 || e.Type().Reverses() {
		return false
	}

	number := e.Snapshot().Order()

	return number.Number != "" && a.inside[decision.TieOfOrder(number)]
}
