package goldentest

import (
	"math/big"
	"strings"
)

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
