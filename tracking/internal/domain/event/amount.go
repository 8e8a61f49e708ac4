package event

import (
	"strconv"
	"strings"

	"tributary/platform/fault"
	"tributary/platform/money"
)

// metadata checks the members with meaning and writes them into e.
func (c *checker) metadata(e *Snapshot, m Metadata) {
	e.ProductID = c.identifier("metadata.product_id", m.ProductID)
	e.OrderID = c.identifier("metadata.order_id", m.OrderID)
	e.OriginalEventID = c.identifier("metadata.original_event_id", m.OriginalEventID)

	if m.SelfReferral.state == given && m.SelfReferral.value != "true" &&
		m.SelfReferral.value != "false" {
		c.faults.Add("metadata.self_referral", fault.ErrWrongType, "must be true or false")
	}

	currency := currencyOf(e.Type)
	if m.Currency.state == given {
		known, err := parseCurrency(e.Type, m.Currency.value, e.OccurredAt)
		if err != nil {
			c.faults.AddError("metadata.currency", err)
		} else {
			currency, e.Currency = known, known.String()
		}
	}

	switch m.Amount.state {
	case absent:
		if e.Type.Sells() {
			c.faults.Add("metadata.amount", fault.ErrRequired, "is required for a "+string(e.Type))
		}
	case broken:
	case given:
		amount, err := money.ParseMajor(m.Amount.value, currency)
		switch {
		case err != nil:
			c.faults.AddError("metadata.amount", err)
		case amount.Sign() < 0:
			c.faults.Add(
				"metadata.amount",
				fault.ErrNegative,
				"must not be negative; a refund has a positive amount and another event_type",
			)
		default:
			e.Amount = clipped(plain(m.Amount.value), currency.Digits())
		}
	}
}

// clipped cuts a fraction to the number of digits of the currency. ParseMajor has checked that the
// rest is zeros.
func clipped(number string, digits int) string {
	whole, fraction, _ := strings.Cut(number, ".")
	if len(fraction) <= digits {
		return number
	}

	if digits == 0 {
		return whole
	}

	return whole + "." + fraction[:digits]
}

// plain returns a valid amount without exponent and sign, given the text of a JSON number, and
// keeps every other digit: "100.0" stays, "1.5e2" becomes "150", "5e-1" becomes "0.5", "-0" becomes
// "0".
func plain(number string) string {
	number = strings.TrimPrefix(number, "-")

	at := strings.IndexAny(number, "eE")
	if at < 0 {
		return number
	}

	exponent, err := strconv.Atoi(number[at+1:])
	if err != nil {
		return number
	}

	whole, fraction, _ := strings.Cut(number[:at], ".")
	for ; exponent > 0; exponent-- {
		digit := "0"
		if fraction != "" {
			digit, fraction = fraction[:1], fraction[1:]
		}

		whole += digit
	}

	for ; exponent < 0; exponent++ {
		digit := "0"
		if whole != "" {
			digit, whole = whole[len(whole)-1:], whole[:len(whole)-1]
		}

		fraction = digit + fraction
	}

	whole = strings.TrimLeft(whole, "0")
	if whole == "" {
		whole = "0"
	}

	if fraction == "" {
		return whole
	}

	return whole + "." + fraction
}
