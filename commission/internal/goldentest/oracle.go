package goldentest

import (
	"math/big"
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

func (o *oracle) find(is func(*verdict) bool) *verdict {
	for _, v := range o.done {
		if is(v) {
			return v
		}
	}

	return nil
}

func (o *oracle) decide(v *verdict) {
	if reverses(v.event) {
		o.reverse(v)
		return
	}

	o.earn(v)
}
