package rule

import (
	"tributary/platform/fault"
	"tributary/platform/money"
)

// AllUnits pays for the whole volume the rate of the tier that it reached.
type AllUnits struct {
	Tiers  []Tier
	Period Period
}

func allUnitsForm() Form {
	return Form{
		Kind:    "all_units",
		Meaning: "the whole amount earns the rate of the tier that the volume has reached",
		Takes:   []Parameter{ParameterTiers, ParameterPeriod},
		make:    func(p Parameters) Formula { return AllUnits{Tiers: p.Tiers, Period: p.Period} },
	}
}

func (AllUnits) Kind() Kind { return "all_units" }

func (a AllUnits) Parameters() Parameters { return Parameters{Tiers: a.Tiers, Period: a.Period} }

func (a AllUnits) Volume() Period { return a.Period }

func (a AllUnits) Expression(position, base money.Amount) (Expression, error) {
	return added(position, base, a.total)
}

// total returns the commission of a whole volume.
func (a AllUnits) total(volume money.Amount) Expression {
	reached := a.Tiers[0]
	for _, tier := range a.Tiers[1:] {
		if volume.Minor() >= tier.From {
			reached = tier
		}
	}

	return product{volume, reached.Rate}
}

func (a AllUnits) check(faults *fault.Fields) {
	if !checkTiers(a.Tiers, a.Period, faults) {
		return
	}

	for i, tier := range a.Tiers[1:] {
		if tier.Rate.Cmp(a.Tiers[i].Rate) < 0 {
			faults.Add(
				"formula.tiers",
				ErrTiers,
				"rates for all units must not fall, otherwise a sale could reduce the seller's commission",
			)

			return
		}
	}
}
