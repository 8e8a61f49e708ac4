// Package commission (domain) is the money that a user earned, or returned, by an event or an
// adjustment. Its amounts never change; its status follows Transitions.
package commission

import (
	"fmt"
	"slices"
	"time"

	"tributary/commission/internal/domain/effect"
	"tributary/commission/internal/domain/ledger"
)

// Commission is an aggregate: an earning or adjustment with its followers, which are the clawbacks
// and corrections that change it. They share its status.
type Commission struct {
	snapshot  Snapshot
	followers []Snapshot
	moved     []Snapshot
}

// Restore returns the commission of a stored snapshot with its followers.
func Restore(snapshot Snapshot, followers ...Snapshot) Commission {
	return Commission{snapshot: snapshot, followers: followers}
}

// Snapshot returns a copy of the content.
func (c *Commission) Snapshot() Snapshot { return c.snapshot }

// Followers returns the clawbacks and corrections that follow the commission.
func (c *Commission) Followers() []Snapshot { return c.followers }

// Moved returns the snapshots whose status has changed since Restore, each after the one that it
// follows. Each counts its version up by one.
func (c *Commission) Moved() []Snapshot { return c.moved }

// Net returns what is left of the amount after the followers that are not rejected, in minor units.
func (c *Commission) Net() int64 {
	net := c.snapshot.Amount.Minor()
	for i := range c.followers {
		net += c.followers[i].Amount.Minor()
	}

	return net
}

// Action is a change of status by an operator.
type Action string

const (
	Approve Action = "approve"
	Hold    Action = "hold"
	Release Action = "release"
	Reject  Action = "reject"
)

// From returns the statuses in which commissions of the role allow the action.
func (a Action) From(role Role) []Status {
	var from []Status

	for _, t := range Transitions() {
		if role != Following && t.To == a.target() && slices.Contains(t.Roles, role) {
			from = append(from, t.From)
		}
	}

	return from
}

// target returns the status to which the action leads.
func (a Action) target() Status {
	switch a {
	case Approve:
		return Approved
	case Hold:
		return Held
	case Release:
		return Pending
	case Reject:
		return Rejected
	}

	return ""
}

// Act performs an operator's action for a reason at the time now, on pending followers too.
// effect.ErrTransition is returned if Transitions does not list it, and for every action on a
// follower.
func (c *Commission) Act(action Action, reason string, now time.Time) (effect.Effect, error) {
	if c.snapshot.Role() == Following {
		return effect.Effect{}, effect.ErrTransition.New(
			"Only earnings can be acted on; clawbacks and adjustments follow theirs.",
		)
	}

	original := len(c.moved)

	caused, err := c.become(action.target(), now)
	if err == nil {
		c.snapshot.Reason = reason
		c.moved[original].Reason = reason
	}

	return caused, err
}

// Mature approves the commission, with its followers, at the end of its hold period. The bool
// reports whether it did: it does nothing before, nor if the commission waits for a person.
func (c *Commission) Mature(now time.Time) (caused effect.Effect, matured bool, err error) {
	s := &c.snapshot
	if !s.StandsAlone() || s.Status != Pending || s.AvailableAt.After(now) {
		return effect.Effect{}, false, nil
	}

	caused, err = c.become(Approved, now)

	return caused, err == nil, err
}

// become moves the commission and its pending followers. Their money goes along, unless nothing is
// left of it: that of a reversed commission lies where it lay.
func (c *Commission) become(to Status, now time.Time) (effect.Effect, error) {
	before := c.snapshot.Status

	caused, err := c.move(&c.snapshot, to, now)
	if err != nil {
		return caused, err
	}

	if !before.open() || to.open() {
		return caused, nil
	}

	fate := to
	if to == Reversed {
		fate = Approved
	}

	for i := range c.followers {
		if c.followers[i].Status != Pending {
			continue
		}

		follows, err := c.move(&c.followers[i], fate, now)
		if err != nil {
			return caused, err
		}

		if to == Reversed {
			follows.Transfers = nil
		}

		caused.Add(follows)
	}

	return caused, nil
}

// move changes the status of one snapshot of the aggregate along Transitions.
func (c *Commission) move(s *Snapshot, to Status, now time.Time) (effect.Effect, error) {
	t, ok := transition(s.Role(), s.Status, to)
	if !ok {
		return effect.Effect{}, effect.ErrTransition.New(
			"The commission is " + string(s.Status) + "; this status does not allow the action.",
		)
	}

	before := *s
	s.Status = to
	s.UpdatedAt = now
	s.Version++
	c.moved = append(c.moved, *s)
	caused := effect.Effect{Facts: []effect.Fact{fact(t.Fact, &before, s)}}

	if to == Reversed || before.Status.Account() == to.Account() {
		return caused, nil
	}

	path := ledger.Path{From: before.Status.Account(), To: to.Account()}
	transfer, err := ledger.ForCommission(s.ID, s.UserID, s.Amount, path)
	caused.Transfers = []ledger.Transfer{transfer}

	return caused, err
}

// fact states that the commission is now as after. A new one has no before.
func fact(kind effect.Type, before, after *Snapshot) effect.Fact {
	f := effect.Fact{
		Type:      kind,
		SubjectID: after.ID,
		UserID:    after.UserID,
		Status:    string(after.Status),
		Version:   after.Version,
	}
	if before != nil {
		f.PreviousStatus = string(before.Status)
		f.PreviousVersion = before.Version
	}

	return f
}

// errContradiction means that what is stored does not fit what is to be added.
func errContradiction(s *Snapshot, what string) error {
	return fmt.Errorf("commission %s of event %s: %s", s.ID, s.EventID, what)
}
