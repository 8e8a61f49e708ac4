// Package wire (api) defines the JSON forms that more than one route or command reads or writes:
// rules, and explanations with everything needed to recompute them.
package wire

import (
	"time"

	"tributary/commission/internal/domain/rule"
	"tributary/contracts/eventtype"
	"tributary/platform/fault"
	"tributary/platform/httpapi"
	"tributary/platform/money"
)

// EarningType is a type of event that can earn, in a request or an answer.
type EarningType = httpapi.Enum[eventtype.Earner]

// Draft is the content of a version of a rule, in a request.
type Draft struct {
	RuleID            string           `json:"rule_id,omitempty" maxLength:"64" doc:"The rule to publish a new version of. Absent for a new rule." example:"019ab2c3-4d5e-7f60-8a7b-9c0d1e2f3a4b"`
	Name              string           `json:"name" minLength:"1" maxLength:"200" doc:"A name for people." example:"Purchase: 10 % of the amount"`
	EventType         EarningType      `json:"event_type" doc:"The type of the events that earn by the rule." example:"purchase"`
	UserID            string           `json:"user_id,omitempty" maxLength:"128" doc:"Restricts the rule to this user." example:"user123"`
	CampaignID        string           `json:"campaign_id,omitempty" maxLength:"128" doc:"Restricts the rule to this campaign." example:"camp123"`
	ProductID         string           `json:"product_id,omitempty" maxLength:"128" doc:"Restricts the rule to this product." example:"prod456"`
	Currency          string           `json:"currency,omitempty" doc:"ISO 4217. Restricts the rule to events in this currency; required unless the rule is a plain percentage." example:"USD"`
	Formula           Formula          `json:"formula" doc:"How the commission is computed."`
	MinimumBase       *httpapi.Decimal `json:"minimum_base,omitempty" doc:"Events with a smaller amount earn nothing. Major units; a JSON number is accepted too."`
	Maximum           *httpapi.Decimal `json:"maximum,omitempty" doc:"The most that one event earns. Major units; a JSON number is accepted too."`
	Cap               *Cap             `json:"cap,omitempty" doc:"The most that a user earns by the rule in a period."`
	PeriodZone        string           `json:"period_zone,omitempty" maxLength:"64" doc:"Where the days and months of tiers and caps begin: an IANA time zone, UTC if absent. programme stands for the programme's zone (PROGRAMME_TIME_ZONE); the version keeps the zone that this is when it is published." example:"programme"`
	HoldDays          int              `json:"hold_days,omitempty" minimum:"0" maximum:"3650" doc:"Days after the event for which a commission stays pending." example:"30"`
	Rounding          string           `json:"rounding,omitempty" enum:"half_even,half_up" doc:"How half a minor unit is rounded; half_even if absent." example:"half_even"`
	Priority          int              `json:"priority,omitempty" minimum:"-1000000" maximum:"1000000" doc:"Among rules of equally narrow scope the highest priority wins." example:"10"`
	AllowRateAboveOne bool             `json:"allow_rate_above_one,omitempty" doc:"Required for a rate above 1, which is more than 100 %."`
	EffectiveFrom     time.Time        `json:"effective_from,omitzero" doc:"Inclusive. The time of publication if absent."`
	EffectiveTo       time.Time        `json:"effective_to,omitzero" doc:"Exclusive. No end if absent."`
}

// Cap limits the earnings of a period.
type Cap struct {
	Amount httpapi.Decimal `json:"amount" doc:"Major units; a JSON number is accepted too." example:"\"500.00\""`
	Period string          `json:"period" enum:"day,month,lifetime" doc:"The period after which the cap starts again: days and months are those of period_zone, by the time of the event." example:"month"`
}

// Rule is a published version.
type Rule struct {
	RuleID      string     `json:"rule_id" doc:"The id that all versions of the rule share." example:"019ab2c3-4d5e-7f60-8a7b-9c0d1e2f3a4b"`
	Version     int        `json:"version" doc:"The number of the version, from 1." example:"1"`
	PublishedAt time.Time  `json:"published_at" doc:"When the version was published."`
	RetiredAt   *time.Time `json:"retired_at,omitempty" doc:"When the rule ends. Absent until the rule is retired."`
	Content     Draft      `json:"content" doc:"The version as it was published."`
}

// RuleOf returns the JSON form of a version.
func RuleOf(r rule.Rule) Rule {
	d := r.Snapshot()

	out := Rule{
		RuleID:      d.ID,
		Version:     d.Version,
		PublishedAt: d.PublishedAt,
		Content:     draftOf(d),
	}
	if !d.RetiredAt.IsZero() {
		out.RetiredAt = &d.RetiredAt
	}

	return out
}

func draftOf(d rule.Snapshot) Draft {
	amount := func(minor int64) *httpapi.Decimal {
		if minor == 0 {
			return nil
		}

		return &httpapi.Decimal{Text: money.FromMinor(minor, d.Currency).String()}
	}

	out := Draft{
		RuleID:            d.ID,
		Name:              d.Name,
		EventType:         EarningType(d.Scope.EventType),
		UserID:            d.Scope.UserID,
		CampaignID:        d.Scope.CampaignID,
		ProductID:         d.Scope.ProductID,
		Currency:          d.Currency.String(),
		Formula:           formulaOf(d.Formula, d.Currency),
		MinimumBase:       amount(d.MinimumBase),
		Maximum:           amount(d.Maximum),
		PeriodZone:        zoneName(d),
		HoldDays:          d.HoldDays,
		Rounding:          string(d.Rounding),
		Priority:          d.Priority,
		EffectiveFrom:     d.EffectiveFrom,
		EffectiveTo:       d.EffectiveTo,
		AllowRateAboveOne: d.RateAboveOne(),
	}
	if d.Cap != nil {
		out.Cap = &Cap{Amount: *amount(d.Cap.Amount), Period: string(d.Cap.Period)}
	}

	return out
}

// zoneName returns the zone of the periods, or "" for UTC.
func zoneName(d rule.Snapshot) string {
	if d.Zone() == time.UTC {
		return ""
	}

	return d.Zone().String()
}

// Domain returns the version as a domain value.
func (r Rule) Domain() (rule.Rule, error) {
	snapshot, err := r.Content.Snapshot(nil)
	if err != nil {
		return rule.Rule{}, err
	}

	snapshot.ID = r.RuleID
	snapshot.Version = r.Version

	snapshot.PublishedAt = r.PublishedAt
	if r.RetiredAt != nil {
		snapshot.RetiredAt = *r.RetiredAt
	}

	return rule.New(snapshot)
}

// Snapshot reads the texts of amounts and rates exactly. programme is the zone of the programme,
// or nil if the version was published. Its fault lists every text that cannot be read; the domain
// checks what they mean together.
func (d Draft) Snapshot(programme *time.Location) (rule.Snapshot, error) {
	var faults fault.Fields

	snapshot := rule.Snapshot{
		ID:   d.RuleID,
		Name: d.Name,
		Scope: rule.Scope{
			EventType:  eventtype.Type(d.EventType),
			UserID:     d.UserID,
			CampaignID: d.CampaignID,
			ProductID:  d.ProductID,
		},
		HoldDays:          d.HoldDays,
		Priority:          d.Priority,
		EffectiveFrom:     d.EffectiveFrom.UTC().Truncate(time.Microsecond),
		EffectiveTo:       d.EffectiveTo.UTC().Truncate(time.Microsecond),
		AllowRateAboveOne: d.AllowRateAboveOne,
	}
	if d.Currency != "" {
		currency, err := money.ParseCurrency(d.Currency)
		faults.AddError("currency", err)
		snapshot.Currency = currency
	}

	rounding, ok := money.ParseRounding(d.Rounding)
	if !ok {
		faults.Add("rounding", fault.ErrInvalidValue, "must be half_even or half_up")
	}

	snapshot.Rounding = rounding
	snapshot.PeriodZone = readZone(d.PeriodZone, programme, &faults)
	read := reader{currency: snapshot.Currency, faults: &faults}

	snapshot.MinimumBase = read.optional("minimum_base", d.MinimumBase)
	snapshot.Maximum = read.optional("maximum", d.Maximum)

	if d.Cap != nil {
		snapshot.Cap = &rule.Cap{
			Amount: read.optional("cap.amount", &d.Cap.Amount),
			Period: rule.Period(d.Cap.Period),
		}
	}

	snapshot.Formula = read.formula(d.Formula)

	return snapshot, faults.Err()
}

// programmeZone stands for the zone of the programme.
const programmeZone = "programme"

// readZone returns the zone of the name; nil is UTC.
func readZone(name string, programme *time.Location, faults *fault.Fields) *time.Location {
	if name == programmeZone && programme != nil {
		return programme
	}

	zone, err := time.LoadLocation(name)
	if err != nil || name == "Local" {
		faults.Add(
			"period_zone",
			fault.ErrInvalidValue,
			"must be programme, or an IANA time zone such as Europe/Berlin",
		)
	}

	return zone
}

// reader reads amounts of one currency and collects the faults.
type reader struct {
	currency money.Currency
	faults   *fault.Fields
}

func (r reader) optional(field string, m *httpapi.Decimal) int64 {
	if m == nil {
		return 0
	}

	if !r.currency.Valid() {
		return 1 // the domain refuses it because the currency is missing
	}

	amount, err := money.ParseMajor(m.Text, r.currency)
	r.faults.AddError(field, err)

	return amount.Minor()
}

func (r reader) rate(field string, m *httpapi.Decimal) money.Rate {
	if m == nil {
		r.faults.Add(field, fault.ErrRequired, "is required for this kind of formula")
		return money.Rate{}
	}

	rate, err := money.ParseRate(m.Text)
	r.faults.AddError(field, err)

	return rate
}
