package rule

import (
	"tributary/platform/fault"
	"tributary/platform/money"
)

// Tier is the rate of the volume from its threshold (minor units of the rule's currency) up to the
// next tier's.
type Tier struct {
	From int64
	Rate money.Rate
}

// added returns what base adds to the total of the volume before it, so that the commissions of a
// period always add up to the total of its volume.
func added(
	position, base money.Amount,
	total func(volume money.Amount) Expression,
) (Expression, error) {
	reached, err := position.Add(base)
	if err != nil {
		return nil, err
	}

	return difference{total(reached), total(position)}, nil
}

// checkTiers reports whether the tiers are in order. The faults say what is not.
func checkTiers(tiers []Tier, period Period, faults *fault.Fields) bool {
	if period != Monthly && period != Lifetime {
		faults.Add("formula.period", fault.ErrInvalidValue, "must be month or lifetime")
	}

	if len(tiers) == 0 || len(tiers) > maxTiers || tiers[0].From != 0 {
		faults.Add("formula.tiers", ErrTiers, "must be 1 to 50 tiers, the first from 0")
		return false
	}

	for i, tier := range tiers[1:] {
		if tier.From <= tiers[i].From {
			faults.Add("formula.tiers", ErrTiers, "thresholds must rise")
			return false
		}
	}

	return true
}
