package rule

import (
	"time"

	"tributary/platform/money"
)

// Kind is the kind of a formula.
type Kind string

// Kinds of formulas.
const (
	Flat       Kind = "flat"       // the same for every event
	Percentage Kind = "percentage" // a rate of the event's amount
	Graduated  Kind = "graduated"  // tiers: each part of the volume earns the rate of its own tier
	// tiers: the whole volume earns the rate of the tier that it reached
	AllUnits Kind = "all_units"
)

func ParseKind(text string) (Kind, bool) {
	switch k := Kind(text); k {
	case Flat, Percentage, Graduated, AllUnits:
		return k, true
	}

	return "", false
}

// Tiered reports whether the commission depends on the volume before the event.
func (k Kind) Tiered() bool { return k == Graduated || k == AllUnits }

// Period is the time over which volumes and caps add up.
type Period string

// Periods. Days and months are in UTC, by the time when the event occurred.
const (
	Daily    Period = "day"
	Monthly  Period = "month"
	Lifetime Period = "lifetime"
)

func ParsePeriod(text string) (Period, bool) {
	switch p := Period(text); p {
	case Daily, Monthly, Lifetime:
		return p, true
	}

	return "", false
}

// Label returns the name of the period that contains the time: "2026-11-23", "2026-11" or
// "lifetime".
func (p Period) Label(at time.Time) string {
	switch p {
	case Daily:
		return at.UTC().Format(time.DateOnly)
	case Monthly:
		return at.UTC().Format("2006-01")
	case Lifetime:
		return string(Lifetime)
	}

	return ""
}

// Tier is the rate of the volume from its threshold (minor units of the rule's currency) up to the
// next tier's.
type Tier struct {
	From int64
	Rate money.Rate
}

// Formula computes a commission. Rate is the share of a percentage; Amount, in major units, that of
// flat, which may be finer than the currency; Tiers and Period those of the tiered kinds.
type Formula struct {
	Kind   Kind
	Rate   money.Rate
	Amount money.Rate
	Tiers  []Tier
	Period Period
}

// unrounded returns the exact commission of base in major units if the volume before it is
// position. For tiers it is total(position+base) − total(position), so that the commissions of a
// period always add up to the total of its volume.
func (f Formula) unrounded(position, base money.Amount) (money.Decimal, error) {
	switch f.Kind {
	case Flat:
		return f.Amount.Decimal(), nil
	case Percentage:
		return base.Decimal().Mul(f.Rate.Decimal()), nil
	case Graduated, AllUnits:
		reached, err := position.Add(base)
		if err != nil {
			return money.Decimal{}, err
		}

		return f.total(reached).Sub(f.total(position)), nil
	}

	return money.Decimal{}, nil
}

// total returns the commission of a whole volume.
func (f Formula) total(volume money.Amount) money.Decimal {
	if f.Kind == AllUnits {
		return volume.Decimal().Mul(f.tierAt(volume.Minor()).Rate.Decimal())
	}

	var sum money.Decimal
	for i, tier := range f.Tiers {
		if volume.Minor() <= tier.From {
			break
		}

		upTo := volume.Minor()
		if i+1 < len(f.Tiers) {
			upTo = min(upTo, f.Tiers[i+1].From)
		}

		sum = sum.Add(
			money.FromMinor(upTo-tier.From, volume.Currency()).Decimal().Mul(tier.Rate.Decimal()),
		)
	}

	return sum
}

func (f Formula) tierAt(volume int64) Tier {
	at := f.Tiers[0]
	for _, tier := range f.Tiers[1:] {
		if volume >= tier.From {
			at = tier
		}
	}

	return at
}
