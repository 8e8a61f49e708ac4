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

// Snapshot is the content of a version. Money fields are minor units of Currency.
type Snapshot struct {
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
func (d Snapshot) Zone() *time.Location {
	if d.PeriodZone == nil || d.PeriodZone.String() == time.UTC.String() {
		return time.UTC
	}

	return d.PeriodZone
}

// RateAboveOne reports whether a rate is more than 1.
func (d Snapshot) RateAboveOne() bool { return d.parameterAboveOne() != "" }

// parameterAboveOne returns the parameter of the formula with a rate of more than 1, or "".
func (d Snapshot) parameterAboveOne() Parameter {
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
type Rule struct{ snapshot Snapshot }

// Limits of a version.
const (
	maxHoldDays = 3650
	maxTiers    = 50
	maxName     = 200
)

// New checks the content of a version. Its fault lists every invalid field.
func New(snapshot Snapshot) (Rule, error) {
	var faults fault.Fields
	if strings.TrimSpace(snapshot.Name) == "" || utf8.RuneCountInString(snapshot.Name) > maxName {
		faults.Add("name", fault.ErrInvalidValue, "must be 1 to 200 characters")
	}

	if _, ok := eventtype.Parse(string(snapshot.Scope.EventType)); !ok ||
		snapshot.Scope.EventType.Reverses() {
		faults.Add("event_type", fault.ErrEventType, "must be a type of event that can earn")
	}

	for _, id := range []struct{ field, value string }{
		{"user_id", snapshot.Scope.UserID},
		{"campaign_id", snapshot.Scope.CampaignID},
		{"product_id", snapshot.Scope.ProductID},
	} {
		identifier.CheckOptional(&faults, id.field, id.value)
	}

	if snapshot.EffectiveFrom.IsZero() {
		faults.Add("effective_from", fault.ErrRequired, "is required")
	}

	if !snapshot.EffectiveTo.IsZero() && !snapshot.EffectiveTo.After(snapshot.EffectiveFrom) {
		faults.Add("effective_to", fault.ErrNotAfter, "must be after effective_from")
	}

	if snapshot.HoldDays < 0 || snapshot.HoldDays > maxHoldDays {
		faults.Add("hold_days", fault.ErrInvalidValue, "must be 0 to 3650")
	}

	if snapshot.Rounding == "" {
		snapshot.Rounding = money.HalfEven
	}

	snapshot.PeriodZone = snapshot.Zone()

	checkMoney(snapshot, &faults)
	checkFormula(snapshot, &faults)

	if snapshot.Zone() != time.UTC && snapshot.Cap == nil &&
		(snapshot.Formula == nil || snapshot.Formula.Volume() == "") {
		faults.Add("period_zone", fault.ErrNotApplicable, "belongs to tiers and caps")
	}

	if err := faults.Err(); err != nil {
		return Rule{}, err
	}

	return Rule{snapshot: snapshot}, nil
}

func checkMoney(snapshot Snapshot, faults *fault.Fields) {
	needsCurrency := snapshot.MinimumBase != 0 || snapshot.Maximum != 0 || snapshot.Cap != nil
	if snapshot.Formula != nil {
		form, _ := FormOf(snapshot.Formula.Kind())
		needsCurrency = needsCurrency || form.monetary()
	}

	if needsCurrency && !snapshot.Currency.Valid() {
		faults.Add(
			"currency",
			fault.ErrRequired,
			"is required for flat and tiered formulas, minimum, maximum and cap",
		)
	}

	if snapshot.MinimumBase < 0 {
		faults.Add("minimum_base", fault.ErrNegative, "must not be negative")
	}

	if snapshot.Maximum < 0 {
		faults.Add("maximum", fault.ErrNegative, "must not be negative")
	}

	if snapshot.Cap != nil {
		if snapshot.Cap.Amount <= 0 {
			faults.Add("cap.amount", fault.ErrNotPositive, "must be greater than 0")
		}

		if _, ok := ParsePeriod(string(snapshot.Cap.Period)); !ok {
			faults.Add("cap.period", fault.ErrInvalidValue, "must be day, month or lifetime")
		}
	}
}

func checkFormula(snapshot Snapshot, faults *fault.Fields) {
	if snapshot.Formula == nil {
		faults.Add("formula.kind", fault.ErrInvalidValue, "must be "+kinds())
		return
	}

	if above := snapshot.parameterAboveOne(); above != "" && !snapshot.AllowRateAboveOne {
		faults.Add(
			"formula."+string(above),
			ErrRateAboveOne,
			"is more than 1, which is 100 %; set allow_rate_above_one if that is intended",
		)
	}

	snapshot.Formula.check(faults)
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

// Restore returns a rule with content that New accepted once.
func Restore(snapshot Snapshot) Rule { return Rule{snapshot: snapshot} }

// Snapshot returns a copy of the version's content.
func (r Rule) Snapshot() Snapshot { return r.snapshot }

// ID returns the id of the rule, which its versions share.
func (r Rule) ID() string { return r.snapshot.ID }

// Version returns the number of the version, from 1. It is 0 for the zero Rule.
func (r Rule) Version() int { return r.snapshot.Version }

// end returns when the version stops being in force, or the zero time for never.
func (r Rule) end() time.Time {
	end := r.snapshot.EffectiveTo
	if !r.snapshot.RetiredAt.IsZero() && (end.IsZero() || r.snapshot.RetiredAt.Before(end)) {
		end = r.snapshot.RetiredAt
	}

	return end
}

// TierKey returns the period of the volume that the commission of an event at that time depends on,
// or "" without tiers.
func (r Rule) TierKey(at time.Time) string {
	return r.snapshot.Formula.Volume().Label(at, r.snapshot.Zone())
}

// CapKey returns the period of the cap at that time, or "" without a cap.
func (r Rule) CapKey(at time.Time) string {
	if r.snapshot.Cap == nil {
		return ""
	}

	return r.snapshot.Cap.Period.Label(at, r.snapshot.Zone())
}

// AvailableAt returns when a commission of the event becomes payable without an approval.
func (r Rule) AvailableAt(occurredAt time.Time) time.Time {
	return occurredAt.UTC().AddDate(0, 0, r.snapshot.HoldDays)
}
