package goldentest

import (
	"math/big"
	"slices"
	"strconv"
	"strings"
)

func (o *oracle) earn(v *verdict) {
	e := v.event

	v.currency = e.Get("currency")
	if v.currency == "" {
		v.currency = "USD"
	}

	v.base = new(big.Rat)
	if v.text = unreadable(e.Get("amount"), v.currency); v.text != "" {
		return
	}

	if a := e.Get("amount"); a != "" {
		v.base = rat(a)
	} else if sells(e) {
		v.text = "not_commissioned amount_missing"
		return
	}

	if self := e.Get("self"); self == "true" || self == `"true"` {
		v.text = "not_commissioned self_referral"
		return
	}

	if sells(e) {
		v.taker = o.find(func(w *verdict) bool { return sameOrder(w.event, e) && w.rule != nil })
	}

	if v.taker != nil {
		v.text = "not_commissioned duplicate_order"
		return
	}

	rule, other := o.choose(e, v.currency)
	if rule == nil {
		v.text = "not_commissioned no_rule"
		if other {
			v.text = "not_commissioned currency_mismatch"
		}

		return
	}

	v.rule = rule
	v.volume, v.earned = o.usage(v, period(rule.Get("period"), e), true), o.usage(v, period(capPeriod(rule), e), false)
	amount, why := o.commission(v, v.base)

	v.amount = amount
	switch {
	case why == "minimum":
		v.text = "not_commissioned below_minimum"
	case amount.Sign() == 0 && why == "cap":
		v.text = "not_commissioned cap_reached"
	case amount.Sign() == 0:
		v.text = "not_commissioned zero_commission"
	case why == "":
		v.text = "commissioned rule_applied"
	default:
		v.text = "commissioned rule_applied_at_" + why
	}
}

// choose selects the rule step by step: those that match, the newest version of each, the narrowest
// scope, the highest priority.
func (o *oracle) choose(e Line, currency string) (best *Line, otherCurrency bool) {
	weight := func(r *Line) int {
		n := 0
		for i, scope := range []string{"product", "campaign", "user"} {
			if r.Get(scope) != "" {
				n += 1 << i
			}
		}

		priority, _ := strconv.Atoi(r.Get("priority"))

		return n*1000 + priority
	}

	var fit []*Line
	for i := range o.rules {
		r := &o.rules[i]

		fits := r.Type == e.Type && (r.Get("from") == "" || r.Get("from") <= when(e)) &&
			(r.Get("to") == "" || when(e) < r.Get("to"))
		for _, scope := range []string{"product", "campaign", "user"} {
			fits = fits && (r.Get(scope) == "" || r.Get(scope) == e.Get(scope))
		}

		if c := r.Get("currency"); fits && c != "" && c != currency {
			otherCurrency, fits = true, false
		}

		if fits {
			fit = append(fit, r)
		}
	}

	for _, r := range fit {
		newer := func(other *Line) bool { return other.ID == r.ID && other.Get("version") > r.Get("version") }
		if !slices.ContainsFunc(fit, newer) && (best == nil || weight(r) > weight(best)) {
			best = r
		}
	}

	return best, otherCurrency && best == nil
}

func capPeriod(r *Line) string {
	_, p, _ := strings.Cut(r.Get("cap"), "/")
	return p
}

func period(kind string, e Line) string {
	switch kind {
	case "day":
		return when(e)[:10]
	case "month":
		return when(e)[:7]
	}

	return kind
}

// usage adds up the earlier events in the same period: the remaining bases, or the remaining money.
func (o *oracle) usage(v *verdict, label string, volume bool) *big.Rat {
	sum := new(big.Rat)
	if label == "" {
		return sum
	}

	kind := capPeriod(v.rule)
	if volume {
		kind = v.rule.Get("period")
	}

	for _, w := range o.done {
		if w.rule == nil || w.rejected() || reverses(w.event) || w.rule.ID != v.rule.ID ||
			w.event.Get("user") != v.event.Get("user") ||
			w.currency != v.currency ||
			period(kind, w.event) != label {
			continue
		}

		if volume {
			if left := o.left(w); atLeastMinimum(w, left) {
				sum.Add(sum, left)
			}

			continue
		}

		sum.Add(sum, w.amount)

		for _, r := range o.done {
			if r.original == w && r.amount != nil {
				sum.Add(sum, r.amount)
			}
		}
	}

	return sum
}

func atLeastMinimum(w *verdict, base *big.Rat) bool {
	return w.rule.Get("min") == "" || base.Cmp(rat(w.rule.Get("min"))) >= 0
}

// left returns what reversals have left of a base.
func (o *oracle) left(w *verdict) *big.Rat {
	left := new(big.Rat).Set(w.base)
	for _, r := range o.done {
		if r.original == w && r.taken != nil {
			left.Sub(left, r.taken)
		}
	}

	return left
}
