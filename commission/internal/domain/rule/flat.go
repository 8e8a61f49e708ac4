package rule

import (
	"tributary/platform/fault"
	"tributary/platform/money"
)

// Flat pays the same for every event: an amount in major units, which may be finer than the
// currency.
type Flat struct{ Amount money.Rate }

func flatForm() Form {
	return Form{
		Kind:    "flat",
		Meaning: "the same for every event",
		Takes:   []Parameter{ParameterAmount},
		make:    func(p Parameters) Formula { return Flat{Amount: rateOr0(p.Amount)} },
	}
}

func (Flat) Kind() Kind { return "flat" }

func (f Flat) Parameters() Parameters { return Parameters{Amount: &f.Amount} }

func (Flat) Volume() Period { return "" }

func (f Flat) Expression(_, _ money.Amount) (Expression, error) { return number{f.Amount}, nil }

func (Flat) check(*fault.Fields) {}
