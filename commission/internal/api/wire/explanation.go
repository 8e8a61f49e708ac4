package wire

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"tributary/commission/internal/application/query"
	"tributary/commission/internal/domain/decision"
	"tributary/commission/internal/domain/event"
	"tributary/commission/internal/domain/rule"
	"tributary/contracts/eventtype"
	"tributary/platform/money"
)

// Explanation says how a decision was reached. It contains everything needed to recompute the
// decision offline.
type Explanation struct {
	Event      *Event      `json:"event,omitempty" doc:"The event as it was decided."`
	Outcome    string      `json:"outcome,omitempty" doc:"commissioned: the event earned a commission. not_commissioned: it earned nothing. parked: it waits for the event that it reverses." example:"commissioned"`
	ReasonCode string      `json:"reason_code,omitempty" doc:"Stable code of the reason." example:"rule_applied"`
	Reason     string      `json:"reason,omitempty" doc:"The reason in words." example:"The rule was applied."`
	RuleID     string      `json:"rule_id,omitempty" doc:"The rule."`
	Version    int         `json:"rule_version,omitempty" doc:"The version of the rule; 0 if no rule was applied." example:"1"`
	Revision   int64       `json:"rules_revision,omitempty" doc:"The revision of the rules that was considered."`
	Currency   string      `json:"currency,omitempty" doc:"ISO 4217." example:"USD"`
	Account    *Account    `json:"account,omitempty" doc:"The state of the user's account before."`
	Original   *Original   `json:"original,omitempty" doc:"The event that a reversal reverses."`
	Considered []Candidate `json:"considered,omitempty" doc:"Every version for such events, and why it was or was not selected. For partners, those that could apply and were in force."`
	Steps      []Step      `json:"steps,omitempty" doc:"The arithmetic, line by line."`
	Unrounded  string      `json:"unrounded_amount,omitempty" doc:"The exact result of the formula, before rounding and limits." example:"10"`
	Rounding   string      `json:"rounding,omitempty" doc:"How it was rounded." example:"half_even"`
	Amount     string      `json:"amount,omitempty" doc:"The amount in major units." example:"10.00"`
	Minor      int64       `json:"amount_minor" doc:"amount in minor units." example:"1000"`
	Verified   bool        `json:"verified" doc:"Whether recomputing the decision returned the same result; for an adjustment, whether expected less booked is its amount."`
	NotAgain   string      `json:"not_computed,omitempty" doc:"What could not be recomputed, and why; verified is then false."`
	Adjustment *Adjustment `json:"adjustment,omitempty" doc:"For an adjustment, its origin and the difference that it corrects."`
	History    []Entry     `json:"history,omitempty" doc:"The changes by operators; for an adjustment by a replay, the replay."`
}

// Event is an event with everything that a decision reads.
type Event struct {
	EventID      string    `json:"event_id" doc:"The id of the event." example:"event789"`
	UserID       string    `json:"user_id" doc:"The user who earns." example:"user123"`
	EventType    string    `json:"event_type" doc:"The type of the event." example:"purchase"`
	OccurredAt   time.Time `json:"occurred_at" doc:"When the event occurred."`
	ReceivedAt   time.Time `json:"received_at" doc:"When the event was recorded."`
	CampaignID   string    `json:"campaign_id,omitempty" doc:"The campaign." example:"camp123"`
	ProductID    string    `json:"product_id,omitempty" doc:"The product." example:"prod456"`
	OrderID      string    `json:"order_id,omitempty" doc:"The number of the order." example:"order789"`
	OriginalID   string    `json:"original_event_id,omitempty" doc:"The event that a refund, void or chargeback reverses."`
	Amount       string    `json:"amount,omitempty" doc:"The amount in major units." example:"10.00"`
	Currency     string    `json:"currency,omitempty" doc:"ISO 4217." example:"USD"`
	SelfReferral bool      `json:"self_referral,omitempty" doc:"Whether the user bought from themselves."`
}

// Account is the state that a decision depended on, in minor units.
type Account struct {
	Position     int64  `json:"volume_before_minor" doc:"Volume in the tier period before the event."`
	CapUsed      int64  `json:"earned_before_minor" doc:"Earned in the cap period before the event."`
	OrderTakenBy string `json:"order_taken_by,omitempty" doc:"The earlier event that earned for the same order."`
}

// Original is the event that a reversal reverses, as it was decided.
type Original struct {
	Event    Event   `json:"event"`
	RuleID   string  `json:"rule_id,omitempty" doc:"The rule."`
	Version  int     `json:"rule_version,omitempty" doc:"The version of the rule; 0 if no rule was applied." example:"1"`
	Currency string  `json:"currency,omitempty" doc:"ISO 4217." example:"USD"`
	Base     int64   `json:"base_amount_minor" doc:"base_amount in minor units." example:"10000"`
	Account  Account `json:"account"`
	Reversed int64   `json:"reversed_before_minor" doc:"What earlier reversals have reversed, in minor units." example:"0"`
	Times    int     `json:"reversals_before" doc:"The number of earlier reversals." example:"0"`
	Rejected bool    `json:"rejected,omitempty" doc:"Whether the commission was rejected by an operator."`
}

// Candidate is a version that was considered.
type Candidate struct {
	Verdict string `json:"verdict" enum:"selected,other_campaign,other_product,not_yet_in_force,no_longer_in_force,retired,other_currency,superseded,less_specific,lower_priority" doc:"selected, or why the version was not selected."`
	Rule    Rule   `json:"rule"`
}

// Step is a line of the arithmetic.
type Step struct {
	Name        string `json:"name" doc:"What is computed." example:"commission"`
	Calculation string `json:"calculation" doc:"The calculation with its numbers." example:"100.00 × 0.1"`
	Result      string `json:"result" doc:"The result." example:"10.00"`
}

// Entry is an audit row.
type Entry struct {
	At     time.Time `json:"at" doc:"When it happened."`
	Actor  string    `json:"actor,omitempty" doc:"Absent for partners." example:"operator1"`
	Action string    `json:"action" doc:"What was done." example:"approve"`
	Reason string    `json:"reason,omitempty" doc:"The reason. Absent for partners." example:"checked with the shop"`
	Before string    `json:"before" doc:"The state before, as JSON; empty if there was none."`
	After  string    `json:"after" doc:"The state after, as JSON."`
}

// ExplanationOf returns the JSON form of an explanation.
func ExplanationOf(e query.Explained) Explanation {
	var out Explanation
	for _, h := range e.History {
		out.History = append(out.History, Entry{
			At:     h.At,
			Actor:  h.Actor,
			Action: h.Action,
			Reason: h.Reason,
			Before: h.Before,
			After:  h.After,
		})
	}

	if e.Explanation != nil {
		out.decision(*e.Explanation)
	} else if e.Commission != nil {
		out.adjustment(e)
	}

	return out
}

// Redact removes what a partner may not read: versions that could not apply to the event or were
// not in force when it occurred, and the actors and reasons of operators' changes. The decision can
// still be recomputed, since such versions do not affect it.
func (out *Explanation) Redact() {
	out.Considered = slices.DeleteFunc(out.Considered, func(c Candidate) bool {
		switch rule.Verdict(c.Verdict) {
		case rule.OtherCampaign,
			rule.OtherProduct,
			rule.NotYetInForce,
			rule.NoLongerInForce,
			rule.Retired:
			return true
		case rule.Selected,
			rule.OtherCurrency,
			rule.Superseded,
			rule.LessSpecific,
			rule.LowerPriority:
		}

		return false
	})

	for i := range out.History {
		out.History[i].Actor, out.History[i].Reason = "", ""
	}

	if out.Adjustment == nil {
		return
	}

	out.Adjustment.Actor, out.Adjustment.Reason = "", ""

	if c := out.Adjustment.Comparison; c != nil {
		for i := range c.Decisions {
			c.Decisions[i].Redact()
		}
	}
}

func (out *Explanation) decision(x decision.Explanation) {
	d := x.Decision
	out.Event = new(eventOf(d.Event))
	out.Outcome = string(d.Outcome)
	out.ReasonCode = string(d.Reason)
	out.Reason = d.Reason.Meaning()
	out.RuleID = d.Rule.ID
	out.Version = d.Rule.Version
	out.Revision = d.Revision
	out.Currency = d.Currency.String()

	out.Account = &Account{Position: d.Position, CapUsed: d.CapUsed, OrderTakenBy: d.OrderTakenBy}
	for _, c := range x.Considered {
		out.Considered = append(
			out.Considered,
			Candidate{Verdict: string(c.Verdict), Rule: RuleOf(c.Rule)},
		)
	}

	for _, s := range x.Steps {
		out.Steps = append(out.Steps, Step(s))
	}

	if o := x.Original; o != nil {
		out.Original = &Original{
			Event:    eventOf(o.Decision.Event),
			RuleID:   o.Decision.Rule.ID,
			Version:  o.Decision.Rule.Version,
			Currency: o.Decision.Currency.String(),
			Base:     o.Decision.Base.Minor(),
			Account:  Account{Position: o.Decision.Position, CapUsed: o.Decision.CapUsed},
			Reversed: o.Reversed,
			Times:    o.Times,
			Rejected: o.Rejected,
		}
	}

	out.Unrounded = d.Unrounded
	out.Rounding = string(x.Rounding)

	out.Verified = x.Agrees()
	if d.Currency.Valid() {
		out.Amount, out.Minor = d.Amount.String(), d.Amount.Minor()
	}
}

func eventOf(e event.Event) Event {
	f := e.Snapshot()

	return Event{
		EventID:      f.ID,
		UserID:       f.UserID,
		EventType:    string(f.Type),
		OccurredAt:   f.OccurredAt,
		ReceivedAt:   f.ReceivedAt,
		CampaignID:   f.CampaignID,
		ProductID:    f.ProductID,
		OrderID:      f.OrderID,
		OriginalID:   f.OriginalID,
		Amount:       f.Amount,
		Currency:     f.Currency,
		SelfReferral: f.SelfReferral,
	}
}

func (e Event) domain() (event.Event, error) {
	return event.New(event.Snapshot{
		ID:           e.EventID,
		UserID:       e.UserID,
		Type:         eventtype.Type(e.EventType),
		OccurredAt:   e.OccurredAt,
		ReceivedAt:   e.ReceivedAt,
		CampaignID:   e.CampaignID,
		ProductID:    e.ProductID,
		OrderID:      e.OrderID,
		OriginalID:   e.OriginalID,
		Amount:       e.Amount,
		Currency:     e.Currency,
		SelfReferral: e.SelfReferral,
	})
}

// Recompute recomputes the decision from the explanation alone.
func (x Explanation) Recompute() (decision.Decision, error) {
	if x.Event == nil {
		return decision.Decision{}, errNoEvent
	}

	e, err := x.Event.domain()
	if err != nil {
		return decision.Decision{}, err
	}

	var rules []rule.Rule
	for _, c := range x.Considered {
		r, err := c.Rule.Domain()
		if err != nil {
			return decision.Decision{}, err
		}

		rules = append(rules, r)
	}

	set := rule.NewSet(x.Revision, rules)

	account := decision.Account{Usage: map[decision.UsageKey]decision.Usage{}}
	if x.Account != nil {
		account.OrderTaken = x.Account.OrderTakenBy
	}

	if err := x.loadUsage(e, set, account.Usage); err != nil {
		return decision.Decision{}, err
	}

	if x.Original != nil {
		if account.Original, err = x.Original.domain(); err != nil {
			return decision.Decision{}, err
		}
	}

	return decision.Decide(e, set, account), nil
}

func (x Explanation) loadUsage(
	e event.Event,
	set *rule.Set,
	usage map[decision.UsageKey]decision.Usage,
) error {
	applied, found := set.Find(rule.Ref{ID: x.RuleID, Version: x.Version})
	if !found || x.Account == nil || x.Currency == "" {
		return nil
	}

	currency, err := money.ParseCurrency(x.Currency)
	d := decision.Decision{
		Event:    e,
		Rule:     applied.Ref(),
		Currency: currency,
		Position: x.Account.Position,
		CapUsed:  x.Account.CapUsed,
	}
	maps.Copy(usage, d.Met(applied))

	return err
}

func (o Original) domain() (*decision.Original, error) {
	e, err := o.Event.domain()
	if err != nil {
		return nil, err
	}

	d := decision.Decision{
		Event:    e,
		Rule:     rule.Ref{ID: o.RuleID, Version: o.Version},
		HasBase:  e.Snapshot().Amount != "",
		Position: o.Account.Position,
		CapUsed:  o.Account.CapUsed,
	}
	if o.Currency != "" {
		if d.Currency, err = money.ParseCurrency(o.Currency); err != nil {
			return nil, err
		}

		d.Base = money.FromMinor(o.Base, d.Currency)
	}

	return &decision.Original{
		Decision: d,
		Reversed: o.Reversed,
		Times:    o.Times,
		Rejected: o.Rejected,
	}, nil
}

var errNoEvent = errors.New("it contains no event")

// Check recomputes the decision and returns it with a line for each member of the explanation that
// differs.
func (x Explanation) Check() (made decision.Decision, differences []string, err error) {
	made, err = x.Recompute()
	if err != nil {
		return made, nil, err
	}

	return made, x.differences(made), nil
}

// differences returns one line for each member that differs from the recomputed decision.
func (x Explanation) differences(made decision.Decision) []string {
	var amount string
	if made.Currency.Valid() {
		amount = made.Amount.String()
	}

	return differing([]compared{
		{"outcome", string(made.Outcome), x.Outcome},
		{"reason_code", string(made.Reason), x.ReasonCode},
		{"rule_id", made.Rule.ID, x.RuleID},
		{"rule_version", made.Rule.Version, x.Version},
		{"currency", made.Currency.String(), x.Currency},
		{"unrounded_amount", made.Unrounded, x.Unrounded},
		{"amount", amount, x.Amount},
		{"amount_minor", made.Amount.Minor(), x.Minor},
	})
}

// compared is a member with its recomputed value and its value in the explanation.
type compared struct {
	name       string
	made, says any
}

func differing(members []compared) []string {
	var lines []string
	for _, member := range members {
		if member.made != member.says {
			lines = append(
				lines,
				fmt.Sprintf(
					"%s: made again it is %v, the explanation says %v",
					member.name,
					member.made,
					member.says,
				),
			)
		}
	}

	return lines
}
