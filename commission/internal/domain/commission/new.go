package commission

import (
	"time"

	"tributary/commission/internal/domain/decision"
	"tributary/commission/internal/domain/effect"
	"tributary/commission/internal/domain/event"
	"tributary/commission/internal/domain/ledger"
	"tributary/platform/money"
)

// Origin is what a new commission needs beside its decision.
type Origin struct {
	ID   string
	Rate string // exact decimal text, or "" if the formula has no single rate
	Now  time.Time
}

// NewEarning returns the commission of a decision that earns. It is approved at once if its hold
// period is over. An error means that the decision does not earn.
func NewEarning(d decision.Decision, origin Origin) (Commission, effect.Effect, error) {
	s := decided(d, origin)
	s.Kind = Earning
	s.Status = Pending
	s.CampaignID = d.Event.Snapshot().CampaignID
	s.ProductID = d.Event.Snapshot().ProductID
	s.Base = d.Base
	s.AvailableAt = d.AvailableAt

	if !s.AvailableAt.After(origin.Now) {
		s.Status = Approved
	}

	if !d.Earned() || s.Rule.ID == "" {
		return Commission{}, effect.Effect{}, errContradiction(&s, "the decision does not earn")
	}

	caused, err := post(&s)

	return Commission{snapshot: s}, caused, err
}

// decided returns what every commission of a decision has.
func decided(d decision.Decision, origin Origin) Snapshot {
	snapshot := d.Event.Snapshot()

	return Snapshot{
		ID:         origin.ID,
		EventID:    snapshot.ID,
		UserID:     snapshot.UserID,
		OrderID:    snapshot.OrderID,
		EventType:  snapshot.Type,
		Rate:       origin.Rate,
		Amount:     d.Amount,
		Rule:       d.Rule,
		OccurredAt: snapshot.OccurredAt,
		CreatedAt:  origin.Now,
		UpdatedAt:  origin.Now,
		Version:    1,
	}
}

// ClawBack adds the clawback of a decision that takes back, and returns it. It has the campaign,
// product and status of the commission. An earning of which nothing is left becomes reversed. An
// error means that the decision takes nothing back, or not from here.
func (c *Commission) ClawBack(
	d decision.Decision,
	origin Origin,
) (made Snapshot, caused effect.Effect, err error) {
	original := &c.snapshot
	made = decided(d, origin)
	made.Kind = Clawback
	made.ReversesID = original.ID
	made.CampaignID = original.CampaignID
	made.ProductID = original.ProductID
	made.Base = money.FromMinor(-d.Base.Minor(), d.Base.Currency())

	switch {
	case !d.Clawed():
		return made, effect.Effect{}, errContradiction(original, "the decision takes nothing back")
	case d.OriginalID != original.EventID:
		return made, effect.Effect{}, errContradiction(original, "the decision reverses another event")
	}

	if err := c.checkFollower(&made); err != nil {
		return made, effect.Effect{}, err
	}

	caused, err = c.add(&made)
	if err != nil {
		return made, caused, err
	}

	if c.Net() == 0 && original.Kind == Earning && original.Status != Reversed {
		reversed, err := c.become(Reversed, origin.Now)
		if err != nil {
			return made, caused, err
		}

		caused.Add(reversed)
	}

	return made, caused, nil
}

// checkFollower returns an error unless the snapshot may follow the commission, which itself
// follows none.
func (c *Commission) checkFollower(made *Snapshot) error {
	original := &c.snapshot

	switch {
	case !original.StandsAlone():
		return errContradiction(original, "only an earning, or what stands in for one, has followers")
	case made.UserID != original.UserID || made.Amount.Currency() != original.Amount.Currency():
		return errContradiction(original, "of another user or currency")
	}

	return nil
}

// add appends the snapshot as a follower: it is pending as long as the commission is pending or
// held.
func (c *Commission) add(made *Snapshot) (effect.Effect, error) {
	made.Status = Approved
	made.AvailableAt = c.snapshot.AvailableAt

	if c.snapshot.Status.open() {
		made.Status = Pending
	}

	c.followers = append(c.followers, *made)

	return post(made)
}

// post returns the transfer that brings the money of a new commission to its account.
func post(s *Snapshot) (effect.Effect, error) {
	t, err := ledger.ForCommission(
		s.ID,
		s.UserID,
		s.Amount,
		ledger.Path{From: ledger.Programme, To: s.Status.Account()},
	)

	return effect.Effect{Transfers: []ledger.Transfer{t}}, err
}

// Wanted is an increase or reduction of a balance by an operator.
type Wanted struct {
	UserID     string
	CampaignID string
	Amount     money.Amount // not 0
	Reason     string
	Waits      bool // for a second person
}

// NewAdjustment returns the commission of an adjustment by an operator: approved, or pending until
// a second person approves or rejects it.
func NewAdjustment(wanted Wanted, origin Origin) (Commission, effect.Effect, error) {
	s := Snapshot{
		ID:          origin.ID,
		UserID:      wanted.UserID,
		CampaignID:  wanted.CampaignID,
		Kind:        Adjustment,
		Status:      Approved,
		Base:        money.FromMinor(0, wanted.Amount.Currency()),
		Amount:      wanted.Amount,
		Reason:      wanted.Reason,
		AvailableAt: origin.Now,
		OccurredAt:  origin.Now,
		CreatedAt:   origin.Now,
		UpdatedAt:   origin.Now,
		Version:     1,
	}
	if wanted.Waits {
		s.Status = Pending
	}

	return adjusted(s)
}

func adjusted(s Snapshot) (Commission, effect.Effect, error) {
	if s.Amount.IsZero() || s.Reason == "" {
		return Commission{}, effect.Effect{}, errContradiction(&s, "an adjustment has an amount and a reason")
	}

	caused, err := post(&s)
	caused.Facts = []effect.Fact{fact(effect.CommissionAdjusted, nil, &s)}

	return Commission{snapshot: s}, caused, err
}

// Correction is the difference by which a replay corrects what is posted for an event.
type Correction struct {
	ReplayID    string
	Event       event.Event
	Amount      money.Amount // not 0
	AvailableAt time.Time    // by the rule, of an event that had not earned
	Reason      string
}

// NewCorrection returns the adjustment that takes the place of an earning for an event that had
// none: it is pending until the end of its rule's hold period, and clawbacks reverse it.
func NewCorrection(wanted Correction, origin Origin) (Commission, effect.Effect, error) {
	s := corrected(wanted, origin)
	if s.ReplayID == "" {
		return Commission{}, effect.Effect{}, errContradiction(&s, "a correction names its replay")
	}

	if wanted.AvailableAt.After(origin.Now) {
		s.Status = Pending
		s.AvailableAt = wanted.AvailableAt
	}

	return adjusted(s)
}

// Correct adds a follower with the difference, and returns it. It is approved, or pending as long
// as the commission is pending or held.
func (c *Commission) Correct(wanted Correction, origin Origin) (Snapshot, effect.Effect, error) {
	made := corrected(wanted, origin)
	made.ReversesID = c.snapshot.ID

	if made.EventID != c.snapshot.EventID || made.Amount.IsZero() || made.Reason == "" ||
		made.ReplayID == "" {
		return made, effect.Effect{}, errContradiction(&c.snapshot, "the correction does not fit")
	}

	if err := c.checkFollower(&made); err != nil {
		return made, effect.Effect{}, err
	}

	if c.snapshot.Status.open() {
		made.Status = Pending
		made.AvailableAt = c.snapshot.AvailableAt
	}

	c.followers = append(c.followers, made)

	caused, err := post(&made)
	caused.Facts = []effect.Fact{fact(effect.CommissionAdjusted, nil, &made)}

	return made, caused, err
}

func corrected(wanted Correction, origin Origin) Snapshot {
	snapshot := wanted.Event.Snapshot()

	return Snapshot{
		ID:          origin.ID,
		EventID:     snapshot.ID,
		UserID:      snapshot.UserID,
		CampaignID:  snapshot.CampaignID,
		ProductID:   snapshot.ProductID,
		OrderID:     snapshot.OrderID,
		EventType:   snapshot.Type,
		Kind:        Adjustment,
		Status:      Approved,
		Base:        money.FromMinor(0, wanted.Amount.Currency()),
		Amount:      wanted.Amount,
		ReplayID:    wanted.ReplayID,
		Reason:      wanted.Reason,
		AvailableAt: origin.Now,
		OccurredAt:  snapshot.OccurredAt,
		CreatedAt:   origin.Now,
		UpdatedAt:   origin.Now,
		Version:     1,
	}
}
