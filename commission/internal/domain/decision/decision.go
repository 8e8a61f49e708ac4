// Package decision (domain) decides what an event earns: once, by a pure function of the event, the
// rules in force when it occurred and the state of the user's account. Consumption, explain, replay
// and what-if call the same function.
package decision

import (
	"time"

	"tributary/commission/internal/domain/event"
	"tributary/commission/internal/domain/rule"
	"tributary/platform/money"
)

// Decision is the decision about an event. Amount is its effect on what the user has earned:
// positive for an earning, negative for a clawback, zero if not commissioned.
type Decision struct {
	Event   event.Event
	Outcome Outcome
	Reason  Reason

	Rule     rule.Ref       // the version that applied; zero if none was reached
	Revision int64          // of the rules that were considered
	Currency money.Currency // of all amounts; zero if unknown
	Base     money.Amount   // of the event; for a reversal, the amount it reverses
	HasBase  bool

	Position int64 // the account before: volume in the tier period, minor units
	CapUsed  int64 // the account before: earned in the cap period, minor units

	OriginalID     string // for a reversal, the original event once it is known
	ReversedBefore int64  // for a reversal, how much of the original was reversed before
	OrderTakenBy   string // for a duplicate order, the event that took it

	Unrounded   string // exact decimal text of the formula's result
	Amount      money.Amount
	AvailableAt time.Time
}

// Original is the state of the event that a reversal reverses.
type Original struct {
	Decision Decision
	Reversed int64 // how much of its base earlier reversals reversed
	Times    int   // the number of reversals that counted
	Rejected bool  // its commission was rejected by an operator
	// there is a commission for it, even if no rule applies to it by now: its order is taken
	HasCommission bool
}

// input returns the input of the original's own commission with another base.
func (o Original) input(base int64) rule.Input {
	in := o.Decision.input()
	in.Base = money.FromMinor(base, o.Decision.Currency)

	return in
}

// Account is the state that a decision depends on.
type Account struct {
	Original   *Original          // of a reversal; nil if it has not arrived
	OrderTaken string             // the event that took the same order; "" for none
	Usage      map[UsageKey]Usage // a missing key is zero, but for a decision of Accounts
	Full       bool               // an account of the rule could not hold the event

	accounts *Accounts // those that the account belongs to, which know what was loaded
}

// usage returns the state of an account of tiers or a cap; the key is that of no account without
// a period.
func (a Account) usage(key UsageKey) Usage {
	switch {
	case key.Period == "":
		return Usage{}
	case a.accounts != nil:
		return a.accounts.readUsage(key)
	}

	return a.Usage[key]
}

// Decide decides an event. It only reads its arguments, and returns the same decision for the same
// arguments.
func Decide(e event.Event, rules *rule.Set, account Account) Decision {
	d := Decision{Event: e, Outcome: NotCommissioned, Revision: rules.Revision()}
	if e.Type().Reverses() {
		d.reverse(rules, account)
	} else {
		d.earn(rules, account)
	}

	return d
}

func (d *Decision) earn(rules *rule.Set, account Account) {
	snapshot := d.Event.Snapshot()
	if !d.readBase(snapshot, money.USD()) {
		return
	}

	d.Amount = money.FromMinor(0, d.Currency)
	switch {
	case snapshot.Type.Sells() && !d.HasBase:
		d.Reason = AmountMissing
		return
	case snapshot.SelfReferral:
		d.Reason = SelfReferral
		return
	case snapshot.Type.Sells() && account.OrderTaken != "":
		d.Reason, d.OrderTakenBy = DuplicateOrder, account.OrderTaken
		return
	}

	winner, found, otherCurrency := rules.Select(d.Event, d.Currency)
	if !found {
		d.Reason = NoRule
		if otherCurrency {
			d.Reason = CurrencyMismatch
		}

		return
	}

	d.Rule = winner.Ref()
	d.Position = account.usage(d.usageKey(winner.TierKey(snapshot.OccurredAt))).Volume
	d.CapUsed = account.usage(d.usageKey(winner.CapKey(snapshot.OccurredAt))).Earned
	d.AvailableAt = winner.AvailableAt(snapshot.OccurredAt)

	working, err := winner.Commission(d.input())
	if err != nil {
		d.Reason = AmountOutOfRange
		return
	}

	if !account.holds(*d, rules, working.Result) {
		d.Reason = AmountOutOfRange
		return
	}

	d.Unrounded, d.Amount = working.Unrounded.String(), working.Result
	d.Outcome, d.Reason = conclude(working)
}

// holds reports whether the accounts of the rule can hold the decision's base and the earned amount
// beside what they stand at.
func (a Account) holds(d Decision, rules *rule.Set, earned money.Amount) bool {
	if a.Full {
		return false
	}

	for _, key := range UsageKeys(d, rules) {
		stands := a.usage(key)
		_, volume := money.AddMinor(stands.Volume, d.Base.Minor())

		_, sum := money.AddMinor(stands.Earned, earned.Minor())
		if volume != nil || sum != nil {
			return false
		}
	}

	return true
}

func conclude(w rule.Working) (Outcome, Reason) {
	switch {
	case w.Limit == rule.BelowMinimum:
		return NotCommissioned, BelowMinimum
	case w.Result.IsZero() && w.Limit == rule.AtCap:
		return NotCommissioned, CapReached
	case w.Result.IsZero():
		return NotCommissioned, ZeroCommission
	case w.Limit == rule.AtCap:
		return Commissioned, RuleAppliedAtCap
	case w.Limit == rule.AtMaximum:
		return Commissioned, RuleAppliedAtMaximum
	}

	return Commissioned, RuleApplied
}

// readBase reads amount and currency; an event without a currency has the given one. It returns
// false if the decision is complete.
func (d *Decision) readBase(snapshot event.Snapshot, currency money.Currency) bool {
	if snapshot.Currency != "" {
		named, err := parseCurrency(snapshot)
		if err != nil {
			d.Reason = CurrencyUnknown
			return false
		}

		currency = named
	}

	d.Currency, d.HasBase = currency, snapshot.Amount != ""
	d.Base = money.FromMinor(0, currency)

	d.Amount = d.Base
	if !d.HasBase {
		return true
	}

	base, err := money.ParseMajor(snapshot.Amount, currency)
	if err != nil || base.Sign() < 0 {
		d.Reason, d.HasBase = AmountInvalid, false
		return false
	}

	d.Base = base

	return true
}

// parseCurrency reads the currency that an event names. It must have been in use when the event
// occurred; a reversal may name one that has ended since.
func parseCurrency(snapshot event.Snapshot) (money.Currency, error) {
	if snapshot.Type.Reverses() {
		return money.ParseCurrency(snapshot.Currency)
	}

	return money.ParseCurrencyAt(snapshot.Currency, snapshot.OccurredAt)
}

func (d *Decision) input() rule.Input {
	return rule.Input{Base: d.Base, Position: d.Position, CapUsed: d.CapUsed}
}

func (d *Decision) usageKey(period string) UsageKey {
	return UsageKey{
		UserID:   d.Event.UserID(),
		RuleID:   d.Rule.ID,
		Currency: d.Currency,
		Period:   period,
	}
}

func (d *Decision) reverse(rules *rule.Set, account Account) {
	snapshot, original := d.Event.Snapshot(), account.Original
	switch {
	case snapshot.OriginalID == "" && snapshot.OrderID == "":
		d.Reason = OriginalNotNamed
		return
	case snapshot.OriginalID == snapshot.ID:
		d.Reason = OriginalNotReversible
		return
	case original == nil:
		d.Outcome, d.Reason = Parked, OriginalUnknown
		return
	}

	d.OriginalID = original.Decision.Event.ID()
	if original.Decision.Event.Type().Reverses() {
		d.Reason = OriginalNotReversible
		return
	}

	applied, found := rules.Find(original.Decision.Rule)
	if !found {
		d.Reason = OriginalNotCommissioned
		return
	}

	d.Rule = original.Decision.Rule
	if !d.readBase(snapshot, original.Decision.Currency) {
		return
	}

	if d.Currency != original.Decision.Currency {
		d.Reason = CurrencyMismatch
		return
	}

	d.takeBack(applied, *original)
}

// takeBack computes the clawback: commission(before) − commission(after), so that partial reversals
// add up exactly.
func (d *Decision) takeBack(applied rule.Rule, original Original) {
	whole := original.Decision
	d.ReversedBefore = original.Reversed
	remaining := whole.Base.Minor() - original.Reversed

	divisible := !whole.Base.IsZero() // an event without an amount is reversed as a whole
	if (divisible && remaining <= 0) || (!divisible && original.Times > 0) {
		d.Base, d.Reason = money.FromMinor(0, d.Currency), AlreadyReversed
		return
	}

	if !d.HasBase || d.Base.Minor() > remaining {
		d.Base = money.FromMinor(remaining, d.Currency)
	}

	if original.Rejected {
		d.Base, d.Reason = money.FromMinor(0, d.Currency), OriginalRejected
		return
	}

	before, after, err := original.beforeAndAfter(applied, remaining, remaining-d.Base.Minor())
	if err == nil {
		d.Amount, err = after.Result.Sub(before.Result)
	}

	if err != nil {
		d.Reason = AmountOutOfRange
		return
	}

	d.Position, d.CapUsed = whole.Position, whole.CapUsed
	d.AvailableAt = d.Event.OccurredAt()
	d.Unrounded = after.Unrounded.Sub(before.Unrounded).String()

	d.Outcome, d.Reason = Commissioned, ClawedBack
	if d.Amount.IsZero() {
		d.Outcome, d.Reason = NotCommissioned, NothingToClawBack
	}
}

// beforeAndAfter computes the commission with remaining of the base left, and with rest left.
// ErrOverflow of package money is returned if the original was out of range, even if its formula is
// not: then nothing of it is in the accounts of its rule, and nothing was earned.
func (o Original) beforeAndAfter(
	applied rule.Rule,
	remaining, rest int64,
) (before, after rule.Working, err error) {
	if o.Decision.Reason == AmountOutOfRange {
		return before, after, money.ErrOverflow
	}

	if before, err = applied.Commission(o.input(remaining)); err != nil {
		return before, after, err
	}

	if rest == 0 {
		zero := money.FromMinor(0, o.Decision.Currency)
		return before, rule.Working{Rounded: zero, Result: zero}, nil
	}

	after, err = applied.Commission(o.input(rest))

	return before, after, err
}

// Applied reports whether a rule applied to an event that can earn, even if it earned 0.
func (d Decision) Applied() bool { return !d.Event.Type().Reverses() && d.Rule != rule.Ref{} }

// Earned reports whether the decision is an earning.
func (d Decision) Earned() bool { return d.Outcome == Commissioned && d.Amount.Sign() > 0 }

// Clawed reports whether the decision is a clawback.
func (d Decision) Clawed() bool { return d.Outcome == Commissioned && d.Amount.Sign() < 0 }

// Counts reports whether a reversal reversed a part of its original's base.
func (d Decision) Counts() bool {
	return d.Event.Type().Reverses() && (d.Reason == ClawedBack || d.Reason == NothingToClawBack)
}
