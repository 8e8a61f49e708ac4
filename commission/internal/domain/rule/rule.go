// Package rule (domain) defines what an event earns: immutable, effective-dated versions of rules,
// the selection of the version for an event, and its arithmetic.
package rule

import (
	"strings"
	"time"
	"unicode/utf8"

	"tributary/contracts/eventtype"
	"tributary/platform/fault"
	"tributary/platform/identifier"
	"tributary/platform/money"
)

// Scope selects the events of a rule. The event type is required; the other fields are "" for any.
type Scope struct {
	EventType  eventtype.Type
	UserID     string
	CampaignID string
	ProductID  string
}

// specificity orders scopes: a named user outweighs a named campaign, which outweighs a named
// product.
func (s Scope) specificity() int {
	weight := 0
	if s.UserID != "" {
		weight += 4
	}

	if s.CampaignID != "" {
		weight += 2
	}

	if s.ProductID != "" {
		weight++
	}

	return weight
}

// Cap is the most that a user can earn by the rule in a period, in minor units of the rule's
// currency.
type Cap struct {
	Amount int64
	Period Period
}

// Definition is the content of a version. Money fields are minor units of Currency.
type Definition struct {
	ID            string
	Version       int
	Name          string
	Scope         Scope
	Currency      money.Currency // zero: any; required for flat, tiers and every money field
	Formula       Formula
	MinimumBase   int64 // an event with less earns nothing; 0 for no minimum
	Maximum       int64 // the most that one event earns; 0 for no limit
	Cap           *Cap
	PeriodZone    *time.Location // see Zone; nil is UTC
	HoldDays      int
	Rounding      money.Rounding
	Priority      int
	EffectiveFrom time.Time
	EffectiveTo   time.Time // zero: no end
	// zero if not retired; the only field that can be added to a published version
	RetiredAt   time.Time
	PublishedAt time.Time
	// AllowRateAboveOne confirms rates of more than 1.
	AllowRateAboveOne bool
}

// Zone returns where the days and months of tiers and caps begin.
func (d Definition) Zone() *time.Location {
	if d.PeriodZone == nil || d.PeriodZone.String() == time.UTC.String() {
		return time.UTC
	}

	return d.PeriodZone
}

// RateAboveOne reports whether a rate is more than 1.
func (d Definition) RateAboveOne() bool { return d.parameterAboveOne() != "" }

// parameterAboveOne returns the parameter of the formula with a rate of more than 1, or "".
func (d Definition) parameterAboveOne() Parameter {
	if d.Formula == nil {
		return ""
	}

	p, one := d.Formula.Parameters(), money.One()
	if p.Rate != nil && p.Rate.Cmp(one) > 0 {
		return ParameterRate
	}

	for _, tier := range p.Tiers {
		if tier.Rate.Cmp(one) > 0 {
			return ParameterTiers
		}
	}

	return ""
}

// Rule is a valid version of a rule. It is immutable.
type Rule struct{ def Definition }

// Limits of a definition.
const (
	maxHoldDays = 3650
	maxTiers    = 50
	maxName     = 200
)

// New checks a definition. Its fault lists every invalid field.
func New(def Definition) (Rule, error) {
	var faults fault.Fields
	if strings.TrimSpace(def.Name) == "" || utf8.RuneCountInString(def.Name) > maxName {
		faults.Add("name", fault.ErrInvalidValue, "must be 1 to 200 characters")
	}

	if _, ok := eventtype.Parse(string(def.Scope.EventType)); !ok ||
		def.Scope.EventType.Reverses() {
		faults.Add("event_type", fault.ErrEventType, "must be a type of event that can earn")
	}

	for _, id := range []struct{ field, value string }{
		{"user_id", def.Scope.UserID},
		{"campaign_id", def.Scope.CampaignID},
		{"product_id", def.Scope.ProductID},
	} {
		identifier.CheckOptional(&faults, id.field, id.value)
	}

	if def.EffectiveFrom.IsZero() {
		faults.Add("effective_from", fault.ErrRequired, "is required")
	}

	if !def.EffectiveTo.IsZero() && !def.EffectiveTo.After(def.EffectiveFrom) {
		faults.Add("effective_to", fault.ErrNotAfter, "must be after effective_from")
	}

	if def.HoldDays < 0 || def.HoldDays > maxHoldDays {
		faults.Add("hold_days", fault.ErrInvalidValue, "must be 0 to 3650")
	}

	if def.Rounding == "" {
		def.Rounding = money.HalfEven
	}

	def.PeriodZone = def.Zone()

	checkMoney(def, &faults)
	checkFormula(def, &faults)

	if def.Zone() != time.UTC && def.Cap == nil && (def.Formula == nil || def.Formula.Volume() == "") {
		faults.Add("period_zone", fault.ErrNotApplicable, "belongs to tiers and caps")
	}

	if err := faults.Err(); err != nil {
		return Rule{}, err
	}

	return Rule{def: def}, nil
}

func checkMoney(def Definition, faults *fault.Fields) {
	needsCurrency := def.MinimumBase != 0 || def.Maximum != 0 || def.Cap != nil
	if def.Formula != nil {
		form, _ := FormOf(def.Formula.Kind())
		needsCurrency = needsCurrency || form.monetary()
	}

	if needsCurrency && !def.Currency.Valid() {
		faults.Add(
			"currency",
			fault.ErrRequired,
			"is required for flat and tiered formulas, minimum, maximum and cap",
		)
	}

	if def.MinimumBase < 0 {
		faults.Add("minimum_base", fault.ErrNegative, "must not be negative")
	}

	if def.Maximum < 0 {
		faults.Add("maximum", fault.ErrNegative, "must not be negative")
	}

	if def.Cap != nil {
		if def.Cap.Amount <= 0 {
			faults.Add("cap.amount", fault.ErrNotPositive, "must be greater than 0")
		}

		if _, ok := ParsePeriod(string(def.Cap.Period)); !ok {
			faults.Add("cap.period", fault.ErrInvalidValue, "must be day, month or lifetime")
		}
	}
}

func checkFormula(def Definition, faults *fault.Fields) {
	if def.Formula == nil {
		faults.Add("formula.kind", fault.ErrInvalidValue, "must be "+kinds())
		return
	}

	if above := def.parameterAboveOne(); above != "" && !def.AllowRateAboveOne {
		faults.Add(
			"formula."+string(above),
			ErrRateAboveOne,
			"is more than 1, which is 100 %; set allow_rate_above_one if that is intended",
		)
	}

	def.Formula.check(faults)
}

// kinds returns the names of all formulas as an enumeration: "a, b or c".
func kinds() string {
	var names []string
	for _, form := range Forms() {
		names = append(names, string(form.Kind))
	}

	last := len(names) - 1

	return strings.Join(names[:last], ", ") + " or " + names[last]
}

// Restore returns a rule with a definition that New accepted once.
func Restore(def Definition) Rule { return Rule{def: def} }

// Definition returns a copy of the version's definition.
func (r Rule) Definition() Definition { return r.def }

// ID returns the id of the rule, which its versions share.
func (r Rule) ID() string { return r.def.ID }

// Version returns the number of the version, from 1. It is 0 for the zero Rule.
func (r Rule) Version() int { return r.def.Version }

// end returns when the version stops being in force, or the zero time for never.
func (r Rule) end() time.Time {
	end := r.def.EffectiveTo
	if !r.def.RetiredAt.IsZero() && (end.IsZero() || r.def.RetiredAt.Before(end)) {
		end = r.def.RetiredAt
	}

	return end
}

// TierKey returns the period of the volume that the commission of an event at that time depends on,
// or "" without tiers.
func (r Rule) TierKey(at time.Time) string {
	return r.def.Formula.Volume().Label(at, r.def.Zone())
}

// CapKey returns the period of the cap at that time, or "" without a cap.
func (r Rule) CapKey(at time.Time) string {
	if r.def.Cap == nil {
		return ""
	}

	return r.def.Cap.Period.Label(at, r.def.Zone())
}

// AvailableAt returns when a commission of the event becomes payable without an approval.
func (r Rule) AvailableAt(occurredAt time.Time) time.Time {
	return occurredAt.UTC().AddDate(0, 0, r.def.HoldDays)
}
