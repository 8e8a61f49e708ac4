package money

import (
	"math/big"
	"strings"
)

// Total is a sum of amounts of a currency, of any size: a sum of many amounts may be beyond 64 bits
// although none of them is. The zero value is 0 of no currency.
type Total struct {
	minor    *big.Int // nil is 0; never changed after it was made
	currency Currency
}

// TotalOf is the total of minor units.
func TotalOf(minor int64, currency Currency) Total {
	return Total{minor: big.NewInt(minor), currency: currency}
}

// Total returns the amount as a total.
func (a Amount) Total() Total { return TotalOf(a.minor, a.currency) }

// ParseTotal reads the decimal text of minor units. ErrAmountMalformed is returned for anything
// else.
func ParseTotal(minor string, currency Currency) (Total, error) {
	value, ok := new(big.Int).SetString(minor, 10)
	if !ok {
		return Total{}, ErrAmountMalformed
	}

	return Total{minor: value, currency: currency}, nil
}

func (t Total) int() *big.Int {
	if t.minor == nil {
		return new(big.Int)
	}

	return t.minor
}

// Add returns t + u; both are of one currency.
func (t Total) Add(u Total) Total {
	return Total{minor: new(big.Int).Add(t.int(), u.int()), currency: t.currency}
}

// Sub returns t - u; both are of one currency.
func (t Total) Sub(u Total) Total {
	return Total{minor: new(big.Int).Sub(t.int(), u.int()), currency: t.currency}
}

// Currency returns the currency.
func (t Total) Currency() Currency { return t.currency }

// Cmp is -1, 0 or 1, as t is less than, equal to or greater than u; both are of one currency.
func (t Total) Cmp(u Total) int { return t.int().Cmp(u.int()) }

// Sign is -1, 0 or 1.
func (t Total) Sign() int { return t.int().Sign() }

// Minor returns the decimal text of the minor units.
func (t Total) Minor() string { return t.int().String() }

// String returns major units with exactly the currency's digits, as that of an Amount.
func (t Total) String() string {
	digits := t.currency.Digits()

	text := new(big.Int).Abs(t.int()).String()
	if short := digits + 1 - len(text); short > 0 {
		text = strings.Repeat("0", short) + text
	}

	if digits > 0 {
		text = text[:len(text)-digits] + "." + text[len(text)-digits:]
	}

	if t.Sign() < 0 {
		return "-" + text
	}

	return text
}
