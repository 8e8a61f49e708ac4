package rule

import (
	"slices"

	"tributary/platform/fault"
	"tributary/platform/money"
)

// Formula computes the commission of an event. A new formula is a type with these methods in a file
// of its own, and an entry of Forms.
type Formula interface {
	// Kind returns the name of the kind.
	Kind() Kind
	// Parameters returns what NewFormula needs to make the formula again.
	Parameters() Parameters
	// Volume returns the period over which the volume adds up that the commission depends on, or ""
	// if it depends on the event alone.
	Volume() Period
	// Expression returns the exact commission of base in major units, if the volume before it is
	// position. money.ErrOverflow is returned if a volume exceeds 64 bits of minor units.
	Expression(position, base money.Amount) (Expression, error)
	// check adds a fault for each parameter that makes no sense.
	check(faults *fault.Fields)
}

// Expression is a calculation with its numbers in place. The result and the working that explain
// shows are two views of it, so that no formula has one without the other.
type Expression interface {
	// Value returns the exact result.
	Value() money.Decimal
	// String returns the calculation, such as "100.00 × 0.1".
	String() string
}

// Kind is the name of a kind of formula.
type Kind string

// Parameter is the name of a parameter of formulas.
type Parameter string

const (
	ParameterRate   Parameter = "rate"
	ParameterAmount Parameter = "amount"
	ParameterTiers  Parameter = "tiers"
	ParameterPeriod Parameter = "period"
)

// AllParameters returns the names of all parameters.
func AllParameters() []Parameter {
	return []Parameter{ParameterRate, ParameterAmount, ParameterTiers, ParameterPeriod}
}

// Parameters are the numbers of a formula in the form that is stored and sent. What a kind does not
// take is absent.
type Parameters struct {
	Rate   *money.Rate // a share of the amount
	Amount *money.Rate // in major units; it may be finer than the currency
	Tiers  []Tier
	Period Period // over which volume adds up
}

// Has reports whether the parameter is present.
func (p Parameters) Has(name Parameter) bool {
	switch name {
	case ParameterRate:
		return p.Rate != nil
	case ParameterAmount:
		return p.Amount != nil
	case ParameterTiers:
		return len(p.Tiers) > 0
	case ParameterPeriod:
		return p.Period != ""
	}

	return false
}

// Form describes a kind of formula.
type Form struct {
	Kind    Kind
	Meaning string      // one sentence without a full stop, for people
	Takes   []Parameter // all of them are required, and no other
	make    func(Parameters) Formula
}

// monetary reports whether a parameter is an amount of money, which needs a currency.
func (f Form) monetary() bool {
	return slices.Contains(f.Takes, ParameterAmount) || slices.Contains(f.Takes, ParameterTiers)
}

// Forms returns every kind of formula. The JSON form, the API description and the table of rules
// are made from it or tested against it.
func Forms() []Form { return []Form{flatForm(), percentageForm(), graduatedForm(), allUnitsForm()} }

// FormOf returns the form of a kind. The bool is false for an unknown kind.
func FormOf(kind Kind) (Form, bool) {
	forms := Forms()

	i := slices.IndexFunc(forms, func(f Form) bool { return f.Kind == kind })
	if i < 0 {
		return Form{}, false
	}

	return forms[i], true
}

// NewFormula returns a formula of the kind, and nil for an unknown kind. It ignores parameters that
// the kind does not take; those that are missing are zero. New of a rule checks the formula.
func NewFormula(kind Kind, p Parameters) Formula {
	form, known := FormOf(kind)
	if !known {
		return nil
	}

	return form.make(p)
}

// rateOr0 returns the rate, or 0 if it is absent.
func rateOr0(r *money.Rate) money.Rate {
	if r == nil {
		return money.Rate{}
	}

	return *r
}
