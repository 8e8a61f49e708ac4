package commission

import (
	"slices"

	"tributary/commission/internal/domain/effect"
)

// Role determines which transitions a commission has.
type Role string

const (
	Earned    Role = "earned"    // an earning
	Granted   Role = "granted"   // the adjustment by which a replay grants what an event had not earned
	ByHand    Role = "by_hand"   // an adjustment by an operator
	Following Role = "following" // a clawback or correction: its status is that of what it changes
)

// Roles returns all roles.
func Roles() []Role { return []Role{Earned, Granted, ByHand, Following} }

// Role returns the role of the commission.
func (s *Snapshot) Role() Role {
	switch {
	case s.ReversesID != "":
		return Following
	case s.Kind == Earning:
		return Earned
	case s.EventID != "":
		return Granted
	}

	return ByHand
}

// Transition is a change of status, with the roles that have it and the fact that it publishes.
type Transition struct {
	From, To Status
	Fact     effect.Type
	Roles    []Role
}

// Transitions returns the state machine. Triggers of the database have the same table.
func Transitions() []Transition {
	return []Transition{
		{Pending, Held, effect.CommissionHeld, []Role{Earned, Granted}},
		{Held, Pending, effect.CommissionReleased, []Role{Earned, Granted}},
		{Pending, Approved, effect.CommissionApproved, []Role{Earned, Granted, ByHand, Following}},
		{Pending, Rejected, effect.CommissionRejected, []Role{Earned, Granted, ByHand, Following}},
		{Held, Rejected, effect.CommissionRejected, []Role{Earned, Granted}},
		{Pending, Reversed, effect.CommissionReversed, []Role{Earned}},
		{Held, Reversed, effect.CommissionReversed, []Role{Earned}},
		{Approved, Reversed, effect.CommissionReversed, []Role{Earned}},
	}
}

func transition(role Role, from, to Status) (Transition, bool) {
	for _, t := range Transitions() {
		if t.From == from && t.To == to && slices.Contains(t.Roles, role) {
			return t, true
		}
	}

	return Transition{}, false
}
