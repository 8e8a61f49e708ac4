// Package wire (api) holds the JSON forms that more than one route or command reads or writes:
// rules, and explanations with all that is needed to recompute them.
package wire

import (
	"time"

	"tributary/commission/internal/domain/event"
	"tributary/commission/internal/domain/rule"
	"tributary/platform/fault"
	"tributary/platform/money"
)

// Draft is what a version of a rule says, in a request.
type Draft struct {
	RuleID            string    `json:"rule_id,omitempty" maxLength:"64" doc:"The rule to publish the next version of; left out for a new rule."`
	Name              string    `json:"name" minLength:"1" maxLength:"200"`
	EventType         string    `json:"event_type" enum:"view,click,engagement,lead,sale,purchase"`
	UserID            string    `json:"user_id,omitempty" maxLength:"128" doc:"Only for this user."`
	CampaignID        string    `json:"campaign_id,omitempty" maxLength:"128" doc:"Only for this campaign."`
	ProductID         string    `json:"product_id,omitempty" maxLength:"128" doc:"Only for this product."`
	Currency          string    `json:"currency,omitempty" doc:"Only for events in this currency; needed unless the rule is a plain percentage."`
	Formula           Formula   `json:"formula"`
	MinimumBase       *Major    `json:"minimum_base,omitempty" doc:"Events of less earn nothing."`
	Maximum           *Major    `json:"maximum,omitempty" doc:"The most that one event earns."`
	Cap               *Cap      `json:"cap,omitempty" doc:"The most that a user earns by the rule in a period."`
	HoldDays          int       `json:"hold_days,omitempty" minimum:"0" maximum:"3650" doc:"How long after the event a commission stays pending."`
	Rounding          string    `json:"rounding,omitempty" enum:"half_even,half_up"`
	Priority          int       `json:"priority,omitempty" minimum:"-1000000" maximum:"1000000" doc:"The higher goes first among equally narrow scopes."`
	AllowRateAboveOne bool      `json:"allow_rate_above_one,omitempty" doc:"Needed for a rate of more than 1, which is 100 %."`
	EffectiveFrom     time.Time `json:"effective_from,omitzero" doc:"Inclusive; now where it is left out."`
	EffectiveTo       time.Time `json:"effective_to,omitzero" doc:"Exclusive; open where it is left out."`
}

// Formula says how the commission is computed.
type Formula struct {
	Kind   string `json:"kind" enum:"flat,percentage,graduated,all_units"`
	Rate   *Major `json:"rate,omitempty" doc:"percentage: the share, such as 0.1."`
	Amount *Major `json:"amount,omitempty" doc:"flat: major units; may be finer than the currency."`
	Tiers  []Tier `json:"tiers,omitempty" maxItems:"50" doc:"graduated, all_units: the first from 0, thresholds rising."`
	Period string `json:"period,omitempty" enum:"month,lifetime" doc:"graduated, all_units: over which volume adds up."`
}

// Tier is the rate from a volume on.
type Tier struct {
	From Major `json:"from" doc:"Major units of volume."`
	Rate Major `json:"rate"`
}

// Cap limits earnings of a period.
type Cap struct {
	Amount Major  `json:"amount" doc:"Major units."`
	Period string `json:"period" enum:"day,month,lifetime"`
}

// Rule is a published version.
type Rule struct {
	RuleID      string     `json:"rule_id"`
	Version     int        `json:"version"`
	PublishedAt time.Time  `json:"published_at"`
	RetiredAt   *time.Time `json:"retired_at,omitempty"`
	Content     Draft      `json:"content"`
}

// RuleOf writes a version.
func RuleOf(r rule.Rule) Rule {
	d := r.Definition()

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

func draftOf(d rule.Definition) Draft {
	amount := func(minor int64) *Major {
		if minor == 0 {
			return nil
		}

		return &Major{Text: money.FromMinor(minor, d.Currency).String()}
	}

	out := Draft{
		RuleID:            d.ID,
		Name:              d.Name,
		EventType:         string(d.Scope.EventType),
		UserID:            d.Scope.UserID,
		CampaignID:        d.Scope.CampaignID,
		ProductID:         d.Scope.ProductID,
		Currency:          d.Currency.String(),
		Formula:           Formula{Kind: string(d.Formula.Kind), Period: string(d.Formula.Period)},
		MinimumBase:       amount(d.MinimumBase),
		Maximum:           amount(d.Maximum),
		HoldDays:          d.HoldDays,
		Rounding:          string(d.Rounding),
		Priority:          d.Priority,
		EffectiveFrom:     d.EffectiveFrom,
		EffectiveTo:       d.EffectiveTo,
		AllowRateAboveOne: d.RateAboveOne(),
	}
	switch d.Formula.Kind {
	case rule.Flat:
		out.Formula.Amount = &Major{Text: d.Formula.Amount.String()}
	case rule.Percentage:
		out.Formula.Rate = &Major{Text: d.Formula.Rate.String()}
	case rule.Graduated, rule.AllUnits:
		for _, tier := range d.Formula.Tiers {
			out.Formula.Tiers = append(
				out.Formula.Tiers,
				Tier{
					From: Major{money.FromMinor(tier.From, d.Currency).String()},
					Rate: Major{tier.Rate.String()},
				},
			)
		}
	}

	if d.Cap != nil {
		out.Cap = &Cap{Amount: *amount(d.Cap.Amount), Period: string(d.Cap.Period)}
	}

	return out
}

// Domain reads a published version back.
func (r Rule) Domain() (rule.Rule, error) {
	def, err := r.Content.Definition()
	if err != nil {
		return rule.Rule{}, err
	}

	def.ID = r.RuleID
	def.Version = r.Version

	def.PublishedAt = r.PublishedAt
	if r.RetiredAt != nil {
		def.RetiredAt = *r.RetiredAt
	}

	return rule.New(def)
}

// Definition reads the texts of amounts and rates exactly. The fault lists every one that cannot be
// read; what they mean together is for the domain to check.
func (d Draft) Definition() (rule.Definition, error) {
	var faults fault.Fields

	def := rule.Definition{
		ID:   d.RuleID,
		Name: d.Name,
		Scope: rule.Scope{
			EventType:  event.Type(d.EventType),
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
		note(&faults, "currency", err)
		def.Currency = currency
	}

	rounding, ok := money.ParseRounding(d.Rounding)
	if !ok {
		faults.Add("rounding", "rounding_unknown", "must be half_even or half_up")
	}

	def.Rounding = rounding
	read := reader{currency: def.Currency, faults: &faults}

	def.MinimumBase, def.Maximum = read.optional("minimum_base", d.MinimumBase), read.optional("maximum", d.Maximum)
	if d.Cap != nil {
		def.Cap = &rule.Cap{
			Amount: read.optional("cap.amount", &d.Cap.Amount),
			Period: rule.Period(d.Cap.Period),
		}
	}

	def.Formula = read.formula(d.Formula)

	return def, faults.Err()
}

// reader reads amounts of one currency and notes what is wrong.
type reader struct {
	currency money.Currency
	faults   *fault.Fields
}

func (r reader) optional(field string, m *Major) int64 {
	if m == nil {
		return 0
	}

	if !r.currency.Valid() {
		return 1 // the domain refuses it for want of a currency
	}

	amount, err := money.ParseMajor(m.Text, r.currency)
	note(r.faults, field, err)

	return amount.Minor()
}

func (r reader) rate(field string, m *Major) money.Rate {
	if m == nil {
		r.faults.Add(field, "required", "is required for this kind of formula")
		return money.Rate{}
	}

	rate, err := money.ParseRate(m.Text)
	note(r.faults, field, err)

	return rate
}

func (r reader) formula(f Formula) rule.Formula {
	out := rule.Formula{Kind: rule.Kind(f.Kind), Period: rule.Period(f.Period)}
	unwanted := func(field string, given bool) {
		if given {
			r.faults.Add(field, "not_applicable", "does not belong to this kind of formula")
		}
	}
	unwanted("formula.rate", f.Rate != nil && out.Kind != rule.Percentage)
	unwanted("formula.amount", f.Amount != nil && out.Kind != rule.Flat)

	switch out.Kind {
	case rule.Flat:
		out.Amount = r.rate("formula.amount", f.Amount)
	case rule.Percentage:
		out.Rate = r.rate("formula.rate", f.Rate)
	case rule.Graduated, rule.AllUnits:
	}

	for _, tier := range f.Tiers {
		out.Tiers = append(
			out.Tiers,
			rule.Tier{
				From: r.optional("formula.tiers", &tier.From),
				Rate: r.rate("formula.tiers", &tier.Rate),
			},
		)
	}

	return out
}

func note(faults *fault.Fields, field string, err error) {
	if e, bad := money.AsError(err); bad {
		faults.Add(field, e.Code, e.Message)
	}
}
