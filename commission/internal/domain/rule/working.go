package rule

import (
	"tributary/platform/money"
)

// Input is the input of a rule's arithmetic: the event's base, and the state of the user's account
// just before the event (position: volume in the tier period; capUsed: earned in the cap period),
// all in minor units of one currency.
type Input struct {
	Base     money.Amount
	Position int64
	CapUsed  int64
}

// Limit is what determined the result beside the formula.
type Limit string

// Limits of a commission.
const (
	NoLimit      Limit = ""
	BelowMinimum Limit = "below_minimum"
	AtMaximum    Limit = "maximum"
	AtCap        Limit = "cap"
)

// Working is the arithmetic of one commission, step by step.
type Working struct {
	Unrounded money.Decimal
	Rounded   money.Amount
	Result    money.Amount // after maximum and cap
	Limit     Limit

	expression Expression
}

// Commission returns what the input earns; it is never negative. money.ErrOverflow is returned if a
// step exceeds 64 bits.
func (r Rule) Commission(in Input) (Working, error) {
	currency := in.Base.Currency()
	zero := money.FromMinor(0, currency)

	w := Working{Rounded: zero, Result: zero}
	if in.Base.Minor() < r.snapshot.MinimumBase {
		w.Limit = BelowMinimum
		return w, nil
	}

	expression, err := r.snapshot.Formula.Expression(money.FromMinor(in.Position, currency), in.Base)
	if err != nil {
		return Working{}, err
	}

	w.expression, w.Unrounded = expression, expression.Value()
	if w.Rounded, err = w.Unrounded.Round(currency, r.snapshot.Rounding); err != nil {
		return Working{}, err
	}

	w.Result = w.Rounded
	if r.snapshot.Maximum > 0 && w.Result.Minor() > r.snapshot.Maximum {
		w.Result, w.Limit = money.FromMinor(r.snapshot.Maximum, currency), AtMaximum
	}

	if r.snapshot.Cap != nil {
		if room := max(0, r.snapshot.Cap.Amount-in.CapUsed); w.Result.Minor() > room {
			w.Result, w.Limit = money.FromMinor(room, currency), AtCap
		}
	}

	return w, nil
}

// Rate returns the rate of a formula that has a single one.
func (r Rule) Rate() (money.Rate, bool) {
	p := r.snapshot.Formula.Parameters()
	return rateOr0(p.Rate), p.Rate != nil
}

// Calculation returns the formula with its numbers, or "" if the base was below the minimum.
func (w Working) Calculation() string {
	if w.expression == nil {
		return ""
	}

	return w.expression.String()
}
