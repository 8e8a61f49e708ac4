package query

import (
	"context"
	"errors"
	"slices"
	"time"

	"tributary/commission/internal/domain/commission"
	"tributary/commission/internal/domain/decision"
	"tributary/commission/internal/domain/event"
	"tributary/commission/internal/domain/replay"
	"tributary/commission/internal/domain/rule"
	"tributary/platform/money"
)

// Before is what an adjustment of an event was derived from, as it was then.
type Before struct {
	Known  time.Time       // the replay knew what had happened until then
	Replay replay.Snapshot // that made it
	Rules  *rule.Set       // that it used
	// For the event in the adjustment's currency, oldest first, without rejected commissions.
	Posted  []commission.Snapshot
	Related []event.Event   // the event, those of its order, and their reversals
	Manual  decision.Manual // what operators had decided about events of the user
}

// Comparison says how a replay derived an adjustment: the decisions by the rules, and what was
// posted for the event.
type Comparison struct {
	Before

	// Of the event and of its reversals; empty if the event's commission was rejected.
	Decisions []decision.Explanation
	Expected  money.Amount // their sum
	PostedSum money.Amount // the sum of what was posted
	// The rule has tiers or a cap, and the user's history is too long to be read here.
	TooWide bool
}

// Difference returns the expected amount of the adjustment.
func (c Comparison) Difference() (money.Amount, error) { return c.Expected.Sub(c.PostedSum) }

// Agrees reports whether the amount is the difference, and each decision can be recomputed.
func (c Comparison) Agrees(amount money.Amount) bool {
	difference, err := c.Difference()

	return err == nil && !c.TooWide && difference == amount &&
		!slices.ContainsFunc(c.Decisions, func(x decision.Explanation) bool { return !x.Agrees() })
}

// compare decides the event again by the rules of the replay.
func (q *Explain) compare(
	ctx context.Context,
	caller Caller,
	adjustment commission.Snapshot,
) (*Comparison, error) {
	before, err := q.reader.Before(ctx, adjustment)
	if err != nil {
		return nil, err
	}

	zero := money.FromMinor(0, adjustment.Amount.Currency())

	c := &Comparison{Before: before, Expected: zero, PostedSum: zero}
	for _, b := range before.Posted {
		if c.PostedSum, err = c.PostedSum.Add(b.Amount); err != nil {
			return nil, err
		}
	}

	if before.Manual.Rejected[adjustment.EventID] {
		return c, nil
	}

	decisions := decision.Run(before.Related, before.Rules, before.Manual)
	if slices.ContainsFunc(
		decisions,
		func(d decision.Decision) bool { return needsHistory(d, before.Rules) },
	) {
		owner, err := caller.OwnerOf(adjustment.UserID)
		if err != nil {
			return nil, err
		}

		events, err := q.reader.EventsOf(ctx, owner, before.Known)
		if c.TooWide = errors.Is(err, ErrTooWide); c.TooWide {
			return c, nil
		}

		if err != nil {
			return nil, err
		}

		decisions = decision.Run(events, before.Rules, before.Manual)
	}

	return c, c.explain(decisions, adjustment.EventID)
}

// needsHistory reports whether the decision depends on what the user earned before.
func needsHistory(d decision.Decision, rules *rule.Set) bool {
	applied, found := rules.Find(d.Rule)
	return found && len(d.Met(applied)) > 0
}

// explain adds the decisions about the event and its reversals.
func (c *Comparison) explain(decisions []decision.Decision, eventID string) (err error) {
	own := slices.IndexFunc(
		decisions,
		func(d decision.Decision) bool { return d.Event.ID() == eventID },
	)
	for _, d := range decisions {
		if d.OriginalEventID() != eventID {
			continue
		}

		var original *decision.Decision
		if d.Event.ID() != eventID && own >= 0 {
			original = &decisions[own]
		}

		c.Decisions = append(c.Decisions, decision.Explain(d, original, c.Rules))
		if d.Outcome == decision.Commissioned && d.Currency == c.Expected.Currency() {
			if c.Expected, err = c.Expected.Add(d.Amount); err != nil {
				return err
			}
		}
	}

	return nil
}
