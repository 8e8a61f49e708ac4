package goldentest

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"tributary/commission/internal/domain/event"
	"tributary/commission/internal/domain/rule"
	"tributary/platform/money"
)

// Event makes the event of a line. prefix keeps the events and users of cases apart that share a database.
func Event(l Line, prefix string) (event.Event, error) {
	at, err := time.Parse(time.RFC3339, when(l))
	if err != nil {
		return event.Event{}, err
	}
	named := func(option string) string {
		if l.Get(option) == "" {
			return ""
		}
		return prefix + l.Get(option)
	}
	return event.New(event.Facts{
		ID: prefix + l.ID, UserID: named("user"), Type: event.Type(l.Type), OccurredAt: at, ReceivedAt: at, CampaignID: named("campaign"), ProductID: named("product"),
		OrderID: named("order"), OriginalID: named("of"), Amount: l.Get("amount"), Currency: l.Get("currency"), SelfReferral: l.Get("self") == "true",
	})
}

// Rule makes the rule of a line.
func Rule(l Line, prefix string) (rule.Rule, error) {
	named := func(option string) string {
		if l.Get(option) == "" {
			return ""
		}
		return prefix + l.Get(option)
	}
	def := rule.Definition{
		ID: prefix + l.ID, Version: 1, Name: l.ID, Scope: rule.Scope{EventType: event.Type(l.Type), UserID: named("user"), CampaignID: named("campaign"), ProductID: named("product")},
		Rounding: money.Rounding(l.Get("rounding")), EffectiveFrom: time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC),
	}
	var p parser
	if l.Get("currency") != "" {
		def.Currency, p.err = money.ParseCurrency(l.Get("currency"))
	}
	p.currency = def.Currency
	def.Priority = p.number(l.Get("priority"))
	def.HoldDays = p.number(l.Get("hold"))
	def.MinimumBase, def.Maximum = p.amount(l.Get("min")), p.amount(l.Get("max"))
	if limit, span, ok := strings.Cut(l.Get("cap"), "/"); ok {
		def.Cap = &rule.Cap{Amount: p.amount(limit), Period: rule.Period(span)}
	}
	if l.Get("from") != "" {
		def.EffectiveFrom = p.time(l.Get("from"))
	}
	if l.Get("to") != "" {
		def.EffectiveTo = p.time(l.Get("to"))
	}
	def.Formula = rule.Formula{Kind: rule.Kind(l.Get("kind")), Rate: p.rate(l.Get("rate")), Amount: p.rate(l.Get("amount")), Period: rule.Period(l.Get("period"))}
	if l.Get("tiers") != "" {
		for tier := range strings.SplitSeq(l.Get("tiers"), ",") {
			from, share, _ := strings.Cut(tier, ":")
			def.Formula.Tiers = append(def.Formula.Tiers, rule.Tier{From: p.amount(from), Rate: p.rate(share)})
		}
	}
	if p.err != nil {
		return rule.Rule{}, fmt.Errorf("rule %s: %w", l.ID, p.err)
	}
	return rule.New(def)
}

// parser reads texts and remembers the first error.
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
