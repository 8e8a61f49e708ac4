package rule

import (
	"tributary/platform/fault"
	"tributary/platform/money"
)

// Graduated pays for each part of the volume the rate of its own tier.
type Graduated struct {
	Tiers  []Tier
	Period Period
}

func graduatedForm() Form {
	return Form{
		Kind:    "graduated",
		Meaning: "each part of the volume earns the rate of its tier",
		Takes:   []Parameter{ParameterTiers, ParameterPeriod},
		make:    func(p Parameters) Formula { return Graduated{Tiers: p.Tiers, Period: p.Period} },
	}
}

func (Graduated) Kind() Kind { return "graduated" }

func (g Graduated) Parameters() Parameters { return Parameters{Tiers: g.Tiers, Period: g.Period} }

func (g Graduated) Volume() Period { return g.Period }

func (g Graduated) Expression(position, base money.Amount) (Expression, error) {
	return added(position, base, g.total)
}

// total returns the commission of a whole volume.
func (g Graduated) total(volume money.Amount) Expression {
	var parts sum
	for i, tier := range g.Tiers {
		if volume.Minor() <= tier.From {
			break
		}

		upTo := volume.Minor()
		if i+1 < len(g.Tiers) {
			upTo = min(upTo, g.Tiers[i+1].From)
		}

		part := money.FromMinor(upTo-tier.From, volume.Currency())
		parts = append(parts, product{part, tier.Rate})
	}

	return parts
}

func (g Graduated) check(faults *fault.Fields) { checkTiers(g.Tiers, g.Period, faults) }
