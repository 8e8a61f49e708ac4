package wire

import (
	"fmt"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"tributary/commission/internal/domain/rule"
	"tributary/platform/fault"
	"tributary/platform/httpapi"
	"tributary/platform/money"
)

// Formula says how the commission is computed.
type Formula struct {
	Kind   FormulaKind      `json:"kind" example:"percentage"`
	Rate   *httpapi.Decimal `json:"rate,omitempty" pattern:"^(0|[1-9][0-9]{0,5})(\\.[0-9]{1,12})?$" doc:"the share, 0.1 for ten per cent. A JSON number is accepted too." example:"\"0.1\""`
	Amount *httpapi.Decimal `json:"amount,omitempty" pattern:"^(0|[1-9][0-9]{0,5})(\\.[0-9]{1,12})?$" doc:"major units, which may be finer than the currency. A JSON number is accepted too."`
	Tiers  []Tier           `json:"tiers,omitempty" maxItems:"50" doc:"the first tier begins at 0, thresholds rise."`
	Period string           `json:"period,omitempty" enum:"month,lifetime" doc:"the period over which volume adds up."`
}

// TransformSchema names in each parameter's description the kinds that take it.
func (Formula) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	for _, name := range rule.AllParameters() {
		var kinds []string
		for _, form := range rule.Forms() {
			if slices.Contains(form.Takes, name) {
				kinds = append(kinds, string(form.Kind))
			}
		}

		property := s.Properties[string(name)]
		property.Description = strings.Join(kinds, " and ") + " only: " + property.Description
	}

	return s
}

// Tier is the rate from a volume on.
type Tier struct {
	From httpapi.Decimal `json:"from" doc:"The volume at which the tier begins. Major units; a JSON number is accepted too." example:"\"1000.00\""`
	Rate httpapi.Decimal `json:"rate" pattern:"^(0|[1-9][0-9]{0,5})(\\.[0-9]{1,12})?$" doc:"The share, 0.1 for ten per cent. A JSON number is accepted too." example:"\"0.1\""`
}

// FormulaKind is the name of a kind of formula. Its schema is made from the table of formulas.
type FormulaKind string

func (FormulaKind) Schema(huma.Registry) *huma.Schema {
	schema := &huma.Schema{Type: huma.TypeString}

	var meanings []string
	for _, form := range rule.Forms() {
		schema.Enum = append(schema.Enum, string(form.Kind))
		meanings = append(meanings, fmt.Sprintf("%s: %s.", form.Kind, form.Meaning))
	}

	schema.Description = strings.Join(meanings, " ")

	return schema
}

// formulaOf returns the JSON form of a formula with money in the currency.
func formulaOf(f rule.Formula, currency money.Currency) Formula {
	p := f.Parameters()

	out := Formula{Kind: FormulaKind(f.Kind()), Period: string(p.Period)}
	if p.Rate != nil {
		out.Rate = &httpapi.Decimal{Text: p.Rate.String()}
	}

	if p.Amount != nil {
		out.Amount = &httpapi.Decimal{Text: p.Amount.String()}
	}

	for _, tier := range p.Tiers {
		out.Tiers = append(out.Tiers, Tier{
			From: httpapi.Decimal{Text: money.FromMinor(tier.From, currency).String()},
			Rate: httpapi.Decimal{Text: tier.Rate.String()},
		})
	}

	return out
}

func (f Formula) has(name rule.Parameter) bool {
	switch name {
	case rule.ParameterRate:
		return f.Rate != nil
	case rule.ParameterAmount:
		return f.Amount != nil
	case rule.ParameterTiers:
		return len(f.Tiers) > 0
	case rule.ParameterPeriod:
		return f.Period != ""
	}

	return false
}

// formula reads the parameters that the kind takes; any other is a fault. It returns nil for an
// unknown kind.
func (r reader) formula(f Formula) rule.Formula {
	form, _ := rule.FormOf(rule.Kind(f.Kind))

	var p rule.Parameters
	for _, name := range rule.AllParameters() {
		switch {
		case slices.Contains(form.Takes, name):
			r.parameter(name, f, &p)
		case f.has(name):
			r.faults.Add(
				"formula."+string(name),
				fault.ErrNotApplicable,
				"does not belong to this kind of formula",
			)
		}
	}

	return rule.NewFormula(rule.Kind(f.Kind), p)
}

// parameter reads a parameter of f into p.
func (r reader) parameter(name rule.Parameter, f Formula, p *rule.Parameters) {
	switch name {
	case rule.ParameterRate:
		p.Rate = new(r.rate("formula.rate", f.Rate))
	case rule.ParameterAmount:
		p.Amount = new(r.rate("formula.amount", f.Amount))
	case rule.ParameterPeriod:
		p.Period = rule.Period(f.Period)
	case rule.ParameterTiers:
		for i, tier := range f.Tiers {
			field := fmt.Sprintf("formula.tiers[%d]", i)
			p.Tiers = append(p.Tiers, rule.Tier{
				From: r.optional(field+".from", &tier.From),
				Rate: r.rate(field+".rate", &tier.Rate),
			})
		}
	}
}
