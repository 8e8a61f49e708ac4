package rule

import (
	"tributary/platform/fault"
	"tributary/platform/money"
)

// Percentage pays a share of the event's amount.
type Percentage struct{ Rate money.Rate }

func percentageForm() Form {
	return Form{
		Kind:    "percentage",
		Meaning: "a share of the amount",
		Takes:   []Parameter{ParameterRate},
		make:    func(p Parameters) Formula { return Percentage{Rate: rateOr0(p.Rate)} },
	}
}

func (Percentage) Kind() Kind { return "percentage" }

func (p Percentage) Parameters() Parameters { return Parameters{Rate: &p.Rate} }

func (Percentage) Volume() Period { return "" }

func (p Percentage) Expression(_, base money.Amount) (Expression, error) {
	return product{base, p.Rate}, nil
}

func (Percentage) check(*fault.Fields) {}
