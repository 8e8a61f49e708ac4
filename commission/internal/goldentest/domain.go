package goldentest

import (
	"encoding/json"
	"fmt"
	"maps"
	"strconv"
	"strings"
	"time"

	"tributary/commission/internal/domain/event"
	"tributary/commission/internal/domain/rule"
	"tributary/contracts/eventtype"
	"tributary/platform/money"
)

// prefixed returns the options of an event, with the prefix for those that identify data of its
// case.
func prefixed(l Line, prefix string) func(option string) string {
	return func(option string) string {
		if l.Get(option) == "" {
			return ""
		}

		return prefix + l.Get(option)
	}
}

// selfReferral reports whether metadata.self_referral, the JSON text in the option self, is true.
func selfReferral(l Line) bool { return l.Get("self") == "true" || l.Get("self") == `"true"` }

// Message returns the payload of the event of a line, with the prefix as in Event.
func Message(l Line, prefix string) ([]byte, error) {
	named := prefixed(l, prefix)

	members := map[string]string{
		"schema_version":    "v1",
		"event_id":          prefix + l.ID,
		"user_id":           named("user"),
		"event_type":        l.Type,
		"occurred_at":       when(l),
		"received_at":       when(l),
		"campaign_id":       l.Get("campaign"),
		"product_id":        l.Get("product"),
		"order_id":          named("order"),
		"original_event_id": named("of"),
		"amount":            l.Get("amount"),
		"currency":          l.Get("currency"),
	}
	if self := l.Get("self"); self != "" {
		members["metadata"] = `{"source":"golden","self_referral":` + self + `}`
	}

	maps.DeleteFunc(members, func(_, value string) bool { return value == "" })

	return json.Marshal(members)
}

// Event returns the event of a line. prefix separates the events, users and orders of cases that
// share a database.
func Event(l Line, prefix string) (event.Event, error) {
	at, err := time.Parse(time.RFC3339, when(l))
	if err != nil {
		return event.Event{}, err
	}

	named := prefixed(l, prefix)

	return event.New(event.Snapshot{
		ID:           prefix + l.ID,
		UserID:       named("user"),
		Type:         eventtype.Type(l.Type),
		OccurredAt:   at,
		ReceivedAt:   at,
		CampaignID:   l.Get("campaign"),
		ProductID:    l.Get("product"),
		OrderID:      named("order"),
		OriginalID:   named("of"),
		Amount:       l.Get("amount"),
		Currency:     l.Get("currency"),
		SelfReferral: selfReferral(l),
	})
}

// Rule returns the rule of a line. A line of the same name with version=2 is its next version.
func Rule(l Line, prefix string) (rule.Rule, error) {
	named := prefixed(l, prefix)
	snapshot := rule.Snapshot{
		ID:   l.ID,
		Name: l.ID,
		Scope: rule.Scope{
			EventType:  eventtype.Type(l.Type),
			UserID:     named("user"),
			CampaignID: l.Get("campaign"),
			ProductID:  l.Get("product"),
		},
		Rounding:      money.Rounding(l.Get("rounding")),
		EffectiveFrom: time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC),
	}

	var p parser
	if l.Get("currency") != "" {
		snapshot.Currency, p.err = money.ParseCurrency(l.Get("currency"))
	}

	p.currency = snapshot.Currency
	snapshot.Version = max(1, p.number(l.Get("version")))
	snapshot.Priority = p.number(l.Get("priority"))
	snapshot.HoldDays = p.number(l.Get("hold"))

	snapshot.MinimumBase, snapshot.Maximum = p.amount(l.Get("min")), p.amount(l.Get("max"))
	if limit, span, ok := strings.Cut(l.Get("cap"), "/"); ok {
		snapshot.Cap = &rule.Cap{Amount: p.amount(limit), Period: rule.Period(span)}
	}

	if l.Get("from") != "" {
		snapshot.EffectiveFrom = p.time(l.Get("from"))
	}

	if l.Get("to") != "" {
		snapshot.EffectiveTo = p.time(l.Get("to"))
	}

	parameters := rule.Parameters{
		Rate:   new(p.rate(l.Get("rate"))),
		Amount: new(p.rate(l.Get("amount"))),
		Period: rule.Period(l.Get("period")),
	}
	if l.Get("tiers") != "" {
		for tier := range strings.SplitSeq(l.Get("tiers"), ",") {
			from, share, _ := strings.Cut(tier, ":")
			parameters.Tiers = append(
				parameters.Tiers,
				rule.Tier{From: p.amount(from), Rate: p.rate(share)},
			)
		}
	}

	snapshot.Formula = rule.NewFormula(rule.Kind(l.Get("kind")), parameters)

	if p.err != nil {
		return rule.Rule{}, fmt.Errorf("rule %s: %w", l.ID, p.err)
	}

	return rule.New(snapshot)
}

// parser reads texts and keeps the first error.
type parser struct {
	currency money.Currency
	err      error
}

func (p *parser) keep(err error) {
	if p.err == nil {
		p.err = err
	}
}

func (p *parser) number(text string) int {
	if text == "" {
		return 0
	}

	n, err := strconv.Atoi(text)
	p.keep(err)

	return n
}

func (p *parser) amount(text string) int64 {
	if text == "" {
		return 0
	}

	a, err := money.ParseMajor(text, p.currency)
	p.keep(err)

	return a.Minor()
}

func (p *parser) rate(text string) money.Rate {
	if text == "" {
		return money.Rate{}
	}

	r, err := money.ParseRate(text)
	p.keep(err)

	return r
}

func (p *parser) time(text string) time.Time {
	t, err := time.Parse(time.RFC3339, text)
	p.keep(err)

	return t
}
