package decision

import (
	"fmt"

	"tributary/commission/internal/domain/rule"
	"tributary/platform/money"
)

// Explanation shows how a decision was reached, with everything needed to recompute it.
type Explanation struct {
	Decision   Decision
	Original   *Original // of a reversal with a known original, as it was then
	Considered []rule.Candidate
	Steps      []Step
	Rounding   money.Rounding // of the version that applied; "" without one
	Again      Decision       // recomputed from the same arguments
}

// Step is a line of the arithmetic: a calculation, and the exact result as text.
type Step struct{ Name, Calculation, Result string }

// Explain returns the explanation of a decision. rules are those of the decision's revision;
// original is the first decision about the event that a reversal reverses, if known.
func Explain(d Decision, original *Decision, rules *rule.Set) Explanation {
	x := Explanation{Decision: d}
	if original != nil && d.Outcome != Parked {
		x.Original = &Original{
			Decision: d.met(*original),
			Reversed: d.ReversedBefore,
			Rejected: d.Reason == OriginalRejected,
		}
		if d.Reason == AlreadyReversed || d.ReversedBefore > 0 {
			x.Original.Times = 1
		}
	}

	applied, found := rules.Find(d.Rule)
	if d.Event.Type().Reverses() {
		if found {
			x.Considered = []rule.Candidate{{Rule: applied, Verdict: rule.Selected}}
		}
	} else if d.Currency.Valid() {
		x.Considered = rules.Consider(d.Event, d.Currency)
	}

	if found {
		x.Rounding = applied.Snapshot().Rounding
		x.steps(applied)
	}

	x.Again = Decide(d.Event, rules, d.account(x.Original, rules))

	return x
}

// met returns the original's decision as the reversal met it: a replay may have replaced the first
// decision's rule since.
func (d Decision) met(original Decision) Decision {
	if d.Reason != OriginalNotReversible {
		original.Rule = d.Rule
	}

	switch {
	case d.Reason == AmountOutOfRange:
		original.Reason = AmountOutOfRange
	case original.Reason == AmountOutOfRange:
		original.Reason = RuleApplied
	}

	if d.Counts() {
		original.Position, original.CapUsed = d.Position, d.CapUsed
	}

	return original
}

// account returns the state that the decision met, as the decision recorded it.
func (d Decision) account(original *Original, rules *rule.Set) Account {
	account := Account{Original: original, OrderTaken: d.OrderTakenBy, Usage: map[UsageKey]Usage{}}

	if applied, found := rules.Find(d.Rule); found && !d.Event.Type().Reverses() {
		account.Usage = d.Met(applied)
		account.Full = d.Reason == AmountOutOfRange
	}

	return account
}

// Met is what the accounts that the applied version looks at stood at when it was decided.
func (d Decision) Met(applied rule.Rule) map[UsageKey]Usage {
	met := map[UsageKey]Usage{}

	at := d.Event.OccurredAt()
	for _, period := range []string{applied.TierKey(at), applied.CapKey(at)} {
		if period != "" {
			met[d.usageKey(period)] = Usage{Volume: d.Position, Earned: d.CapUsed}
		}
	}

	return met
}

// Agrees reports whether the recomputed decision equals the decision.
func (x Explanation) Agrees() bool {
	a, b := x.Decision, x.Again

	return a.Outcome == b.Outcome && a.Reason == b.Reason && a.Rule == b.Rule &&
		a.Amount == b.Amount &&
		a.Unrounded == b.Unrounded
}

func (x *Explanation) steps(applied rule.Rule) {
	d := x.Decision
	if x.Original == nil {
		x.commission("", applied, d.input())

		if d.Reason == AmountOutOfRange {
			x.step("out of range", "the commission or the sums of the rule with it", d.Amount.String())
		}

		return
	}

	if !d.Counts() {
		return
	}

	whole := x.Original.Decision
	remaining := whole.Base.Minor() - d.ReversedBefore
	in := whole.input()
	in.Base = money.FromMinor(remaining, d.Currency)
	before := x.commission("before: ", applied, in)
	in.Base = money.FromMinor(remaining-d.Base.Minor(), d.Currency)

	after := money.FromMinor(0, d.Currency)
	if in.Base.IsZero() {
		x.step(
			"after: nothing is left",
			in.Base.String()+" of "+whole.Base.String(),
			after.String(),
		)
	} else {
		after = x.commission("after: ", applied, in)
	}

	x.step("clawback", fmt.Sprintf("%s − %s", after, before), d.Amount.String())
}

// commission adds the arithmetic of one commission and returns its result.
func (x *Explanation) commission(prefix string, applied rule.Rule, in rule.Input) money.Amount {
	w, err := applied.Commission(in)
	if err != nil {
		x.step(prefix+"formula", "is beyond what can be represented", "")
		return money.FromMinor(0, in.Base.Currency())
	}

	snapshot, currency := applied.Snapshot(), in.Base.Currency()
	if w.Limit == rule.BelowMinimum {
		x.step(
			prefix+"minimum",
			fmt.Sprintf("%s < %s", in.Base, money.FromMinor(snapshot.MinimumBase, currency)),
			"0",
		)

		return w.Result
	}

	x.step(prefix+string(snapshot.Formula.Kind()), w.Calculation(), w.Unrounded.String())
	x.step(
		prefix+"rounding",
		fmt.Sprintf("%s to %d digits", snapshot.Rounding, currency.Digits()),
		w.Rounded.String(),
	)

	switch w.Limit {
	case rule.AtMaximum:
		x.step(
			prefix+"maximum",
			fmt.Sprintf("min(%s, %s)", w.Rounded, money.FromMinor(snapshot.Maximum, currency)),
			w.Result.String(),
		)
	case rule.AtCap:
		x.step(
			prefix+"cap",
			fmt.Sprintf(
				"min(%s, %s − %s)",
				w.Rounded,
				money.FromMinor(snapshot.Cap.Amount, currency),
				money.FromMinor(in.CapUsed, currency),
			),
			w.Result.String(),
		)
	case rule.NoLimit, rule.BelowMinimum:
	}

	return w.Result
}

func (x *Explanation) step(name, calculation, result string) {
	x.Steps = append(x.Steps, Step{Name: name, Calculation: calculation, Result: result})
}
