package money

import (
	"math/big"
	"strings"
)

// Decimal is an exact decimal of any size. It is never rounded; only Round turns it into an amount.
// The zero value is 0.
type Decimal struct {
	unscaled *big.Int // nil is 0; never modified
	scale    int      // digits after the decimal point, not negative
}

// Decimal returns the amount in major units.
func (a Amount) Decimal() Decimal {
	return Decimal{unscaled: big.NewInt(a.minor), scale: a.currency.Digits()}
}

func (d Decimal) int() *big.Int {
	if d.unscaled == nil {
		return new(big.Int)
	}

	return d.unscaled
}

func powerOf10(n int) *big.Int {
	return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n)), nil)
}

// aligned returns both numbers with the larger of their scales.
func aligned(a, b Decimal) (x, y *big.Int, scale int) {
	x, y = a.int(), b.int()
	switch {
	case a.scale < b.scale:
		x = new(big.Int).Mul(x, powerOf10(b.scale-a.scale))
	case b.scale < a.scale:
		y = new(big.Int).Mul(y, powerOf10(a.scale-b.scale))
	}

	return x, y, max(a.scale, b.scale)
}

// Add returns d + e.
func (d Decimal) Add(e Decimal) Decimal {
	x, y, scale := aligned(d, e)
	return Decimal{unscaled: new(big.Int).Add(x, y), scale: scale}
}

// Sub returns d - e.
func (d Decimal) Sub(e Decimal) Decimal {
	x, y, scale := aligned(d, e)
	return Decimal{unscaled: new(big.Int).Sub(x, y), scale: scale}
}

// Mul returns d × e.
func (d Decimal) Mul(e Decimal) Decimal {
	return Decimal{unscaled: new(big.Int).Mul(d.int(), e.int()), scale: d.scale + e.scale}
}

// Cmp returns -1, 0 or 1 if d is less than, equal to or greater than e.
func (d Decimal) Cmp(e Decimal) int {
	x, y, _ := aligned(d, e)
	return x.Cmp(y)
}

// Sign returns -1, 0 or 1.
func (d Decimal) Sign() int { return d.int().Sign() }

// String returns the canonical text: plain notation, no trailing zeros in a fraction, "0" for zero.
func (d Decimal) String() string {
	text := new(big.Int).Abs(d.int()).String()
	if d.scale > 0 {
		if len(text) <= d.scale {
			text = strings.Repeat("0", d.scale-len(text)+1) + text
		}

		text = text[:len(text)-d.scale] + "." + text[len(text)-d.scale:]
		text = strings.TrimRight(strings.TrimRight(text, "0"), ".")
	}

	if d.Sign() < 0 {
		return "-" + text
	}

	return text
}

// Rounding is how the single rounding step treats a value between two minor units. Both modes are
// symmetric around zero.
type Rounding string

const (
	HalfEven Rounding = "half_even" // a half is rounded to the even neighbour; the default
	HalfUp   Rounding = "half_up"   // a half is rounded away from zero
)

// ParseRounding reads a mode. The empty text is HalfEven.
func ParseRounding(text string) (Rounding, bool) {
	switch r := Rounding(text); r {
	case "":
		return HalfEven, true
	case HalfEven, HalfUp:
		return r, true
	}

	return "", false
}

// Round is the single rounding step: it rounds d, in major units, to an amount of the currency.
// ErrOverflow is returned beyond 64 bits of minor units.
func (d Decimal) Round(currency Currency, mode Rounding) (Amount, error) {
	unscaled, scale := d.int(), d.scale
	if scale < currency.Digits() {
		unscaled, scale = new(
			big.Int,
		).Mul(unscaled, powerOf10(currency.Digits()-scale)), currency.Digits()
	}

	minor, rest := new(big.Int).QuoRem(unscaled, powerOf10(scale-currency.Digits()), new(big.Int))
	twice := new(big.Int).Abs(rest)
	twice.Lsh(twice, 1)

	half := twice.Cmp(powerOf10(scale - currency.Digits()))
	if half > 0 || (half == 0 && rest.Sign() != 0 && (mode == HalfUp || minor.Bit(0) == 1)) {
		minor.Add(minor, big.NewInt(int64(d.Sign())))
	}

	if !minor.IsInt64() {
		return Amount{}, ErrOverflow
	}

	return FromMinor(minor.Int64(), currency), nil
}
