package goldentest

import "math/big"

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
