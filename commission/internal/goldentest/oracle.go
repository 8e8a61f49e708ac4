package goldentest

import (
	"math/big"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"
)

// oracle keeps every decided event in a list and computes everything again from that list: no
// running totals, no shared code, rational numbers throughout.
type oracle struct {
	rules []Line
	done  []*verdict
}

// verdict is a decided event.
type verdict struct {
	event    Line
	text     string   // outcome, reason
	rule     *Line    // the rule that applied
	currency string   // of the amounts
	base     *big.Rat // the amount of the event
	taken    *big.Rat // for a reversal, the amount it reversed
	amount   *big.Rat // major units, rounded
	original *verdict
	taker    *verdict // of a second event for an order: the sale that took its order
	volume   *big.Rat // the tier volume before the event
	earned   *big.Rat // the cap usage before the event
}

// Solve fills in the expected results of the case.
func Solve(c *Case) {
	o := &oracle{rules: c.Rules}
	for _, e := range c.Events {
		if o.find(func(v *verdict) bool { return v.event.ID == e.ID }) != nil {
			continue // a repetition
		}

		v := &verdict{event: e}
		o.decide(v)
		o.done = append(o.done, v)

		var waiting []*verdict
		for _, p := range o.done {
			if strings.HasPrefix(p.text, "parked") && o.originalOf(p.event) != nil {
				waiting = append(waiting, p)
			}
		}

		sort.Slice(waiting, func(i, j int) bool {
			a, b := waiting[i].event, waiting[j].event
			return when(a)+a.ID < when(b)+b.ID
		})

		for _, p := range waiting { // it counts from now on, not from when it was parked
			for i, v := range o.done {
				if v == p {
					o.done = append(o.done[:i], o.done[i+1:]...)
					break
				}
			}

			again := &verdict{event: p.event}
			o.decide(again)
			o.done = append(o.done, again)
		}
	}

	c.Outcomes, c.Balances = nil, map[string]string{}
	sums, pending := map[string]*big.Rat{}, map[string]*big.Rat{}

	seen := map[string]bool{}
	for _, e := range c.Events {
		if seen[e.ID] {
			continue
		}

		seen[e.ID] = true
		v := o.find(func(v *verdict) bool { return v.event.ID == e.ID })

		text := v.text
		if v.amount != nil && v.amount.Sign() != 0 {
			text += " " + minorText(v.amount, v.currency)

			key := e.Get("user") + " " + v.currency
			if sums[key] == nil {
				sums[key], pending[key] = new(big.Rat), new(big.Rat)
			}

			if v.rejected() {
				c.Outcomes = append(c.Outcomes, Outcome{Event: e.ID, Text: text})
				continue
			}

			sums[key].Add(sums[key], v.amount)

			if v.pending() {
				pending[key].Add(pending[key], v.amount)
			}
		}

		c.Outcomes = append(c.Outcomes, Outcome{Event: e.ID, Text: text})
	}

	for key, sum := range sums {
		currency := strings.Fields(key)[1]

		c.Balances[key] = minorText(sum, currency)
		if pending[key].Sign() != 0 {
			c.Balances[key] += " pending " + minorText(pending[key], currency)
		}
	}
}

// pending reports whether the earning, or the reversed earning, becomes available in the future.
func (v *verdict) pending() bool {
	if v.original != nil {
		v = v.original
	}

	at, err := time.Parse(time.RFC3339, when(v.event))
	if err != nil {
		panic(err) //nolint:forbidigo // a mistake in a case
	}

	days, _ := strconv.Atoi(v.rule.Get("hold"))

	return at.Add(time.Duration(days) * 24 * time.Hour).After(Now())
}

// rejected reports whether an operator rejected the commission as soon as it was created: it earns
// nothing, there is nothing to reverse, and later events find tiers and caps as if it had never
// been.
func (v *verdict) rejected() bool { return v.event.Get("rejected") == "true" }

func reverses(e Line) bool {
	return e.Type == "refund" || e.Type == "void" || e.Type == "chargeback"
}
func sells(e Line) bool { return e.Type == "sale" || e.Type == "purchase" }

// when returns the time of an event. All have the same form, so texts compare like times.
func when(e Line) string {
	if at := e.Get("at"); at != "" {
		return at
	}

	return "2026-11-10T00:00:00Z"
}

func digits(currency string) int { return currencies()[currency] }

// currencies returns the currencies of the cases with their digits; all others are unknown.
func currencies() map[string]int {
	return map[string]int{"JPY": 0, "KRW": 0, "USD": 2, "EUR": 2, "KWD": 3, "BHD": 3}
}

// unreadable returns what is wrong with the amount and currency of an event, or "".
func unreadable(amount, currency string) string {
	if _, known := currencies()[currency]; !known {
		return "not_commissioned currency_unknown"
	}

	whole, fraction, _ := strings.Cut(amount, ".")
	if strings.HasPrefix(amount, "-") || len(strings.TrimRight(fraction, "0")) > digits(currency) ||
		len(whole) > 12 {
		return "not_commissioned amount_invalid"
	}

	return ""
}

func power(n int) *big.Rat {
	out := big.NewRat(1, 1)
	for range n {
		out.Mul(out, big.NewRat(10, 1))
	}

	return out
}

func minorText(amount *big.Rat, currency string) string {
	return new(big.Rat).Mul(amount, power(digits(currency))).RatString()
}

func rat(text string) *big.Rat {
	r, ok := new(big.Rat).SetString(text)
	if !ok {
		panic("no number: " + text) //nolint:forbidigo // a mistake in a case
	}

	return r
}

func (o *oracle) find(is func(*verdict) bool) *verdict {
	for _, v := range o.done {
		if is(v) {
			return v
		}
	}

	return nil
}

// originalOf is what a reversal names: by event, where a second event for an order stands for the
// first one; or the sale that took the order, or else the earliest sale of it.
func (o *oracle) originalOf(e Line) *verdict {
	if of := e.Get("of"); of != "" {
		v := o.find(func(v *verdict) bool {
			return v.event.Get("user") == e.Get("user") && v.event.ID == of
		})
		if v != nil && v.taker != nil {
			return v.taker
		}

		return v
	}

	if v := o.find(func(v *verdict) bool { return sameOrder(v.event, e) && v.rule != nil }); v != nil {
		return v
	}

	var first *verdict
	for _, v := range o.done {
		if sameOrder(v.event, e) &&
			(first == nil || when(v.event)+v.event.ID < when(first.event)+first.event.ID) {
			first = v
		}
	}

	return first
}

// sameOrder reports whether the sale is of the order that e names.
func sameOrder(sale, e Line) bool {
	same := sells(sale) && e.Get("order") != ""
	for _, name := range []string{"user", "campaign", "order"} {
		same = same && sale.Get(name) == e.Get(name)
	}

	return same
}

func (o *oracle) decide(v *verdict) {
	if reverses(v.event) {
		o.reverse(v)
		return
	}

	o.earn(v)
}

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

func (o *oracle) reverse(v *verdict) {
	e := v.event
	switch e.Get("of") {
	case "":
		if e.Get("order") == "" {
			v.text = "not_commissioned original_not_named"
			return
		}
	case e.ID:
		v.text = "not_commissioned original_not_reversible"
		return
	}

	w := o.originalOf(e)
	switch {
	case w == nil:
		v.text = "parked original_unknown"
		return
	case reverses(w.event):
		v.text = "not_commissioned original_not_reversible"
		return
	case w.rule == nil:
		v.text = "not_commissioned original_not_commissioned"
		return
	}

	v.currency = w.currency

	named := w.currency
	if c := e.Get("currency"); c != "" {
		named = c
	}

	if v.text = unreadable(e.Get("amount"), named); v.text != "" {
		return
	}

	if named != w.currency {
		v.text = "not_commissioned currency_mismatch"
		return
	}

	left := o.left(w)

	again := o.find(func(r *verdict) bool { return r.original == w }) != nil
	if (w.base.Sign() > 0 && left.Sign() <= 0) || (w.base.Sign() == 0 && again) {
		v.text = "not_commissioned already_reversed"
		return
	}

	if w.rejected() {
		v.text = "not_commissioned original_rejected"
		return
	}

	take := left
	if a := e.Get("amount"); a != "" && rat(a).Cmp(left) < 0 {
		take = rat(a)
	}

	before, _ := o.commission(w, left)

	after := new(big.Rat)
	if rest := new(big.Rat).Sub(left, take); rest.Sign() > 0 {
		after, _ = o.commission(w, rest)
	}

	v.original = w
	v.taken = take
	v.amount = new(big.Rat).Sub(after, before)

	v.text = "commissioned clawed_back"
	if v.amount.Sign() == 0 {
		v.text = "not_commissioned nothing_to_claw_back"
	}
}
