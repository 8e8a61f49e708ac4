// Package money holds amounts in integer minor units of a currency, and exact decimals for rates.
// Nothing is a binary float, nothing wraps around, and nothing is rounded except in Round.
package money

import (
	"errors"
	"math"
	"math/bits"
	"strconv"

	"tributary/platform/fault"
)

// The errors of texts. Each is the code of a field fault.
var (
	ErrCurrencyUnknown = fault.DefineField(
		"currency_unknown",
		"must be an ISO 4217 currency code in capitals, in use at the time",
	)
	ErrAmountMalformed = fault.DefineField(
		"amount_malformed",
		"must be a decimal number in major units",
	)
	ErrAmountTooPrecise = fault.DefineField(
		"amount_too_precise",
		"has more fractional digits than the currency",
	)
	ErrAmountTooLarge = fault.DefineField("amount_too_large", "must have at most 12 integer digits")
	ErrRateMalformed  = fault.DefineField(
		"rate_malformed",
		"must be a decimal number, not negative, of at most 6 integer and 12 fractional digits",
	)
)

var (
	ErrOverflow         = errors.New("is beyond what can be represented")
	ErrCurrencyMismatch = errors.New("amounts of different currencies cannot be combined")
)

// Amount is a number of minor units of a currency; it may be negative. The zero value has no
// currency and is useful for comparisons only.
type Amount struct {
	minor    int64
	currency Currency
}

// FromMinor returns an amount of minor units, such as 1050 for 10.50 USD.
func FromMinor(minor int64, currency Currency) Amount {
	return Amount{minor: minor, currency: currency}
}

// Minor returns the minor units.
func (a Amount) Minor() int64 { return a.minor }

// Currency returns the currency.
func (a Amount) Currency() Currency { return a.currency }

// IsZero reports whether the amount has no minor units.
func (a Amount) IsZero() bool { return a.minor == 0 }

// Sign returns -1, 0 or 1.
func (a Amount) Sign() int {
	switch {
	case a.minor < 0:
		return -1
	case a.minor > 0:
		return 1
	}

	return 0
}

// Add returns a + b. ErrCurrencyMismatch is returned for different currencies and ErrOverflow
// beyond 64 bits.
func (a Amount) Add(b Amount) (Amount, error) {
	if a.currency != b.currency {
		return Amount{}, ErrCurrencyMismatch
	}

	sum, err := AddMinor(a.minor, b.minor)
	if err != nil {
		return Amount{}, err
	}

	return Amount{minor: sum, currency: a.currency}, nil
}

// Sub returns a - b, with the errors of Add.
func (a Amount) Sub(b Amount) (Amount, error) {
	negated, err := b.Neg()
	if err != nil {
		return Amount{}, err
	}

	return a.Add(negated)
}

// Neg returns -a. ErrOverflow is returned for the smallest amount, whose negation does not fit.
func (a Amount) Neg() (Amount, error) {
	if a.minor == math.MinInt64 {
		return Amount{}, ErrOverflow
	}

	return Amount{minor: -a.minor, currency: a.currency}, nil
}

// AddMinor adds minor units of one currency. ErrOverflow is returned beyond 64 bits.
func AddMinor(a, b int64) (int64, error) {
	sum := a + b
	if (a > 0 && b > 0 && sum <= 0) || (a < 0 && b < 0 && sum >= 0) {
		return 0, ErrOverflow
	}

	return sum, nil
}

// AddSaturated adds minor units of one currency; a sum beyond 64 bits becomes the nearest number
// that has them.
func AddSaturated(a, b int64) int64 {
	sum, err := AddMinor(a, b)
	if err == nil {
		return sum
	}

	if a > 0 {
		return math.MaxInt64
	}

	return math.MinInt64
}

// String returns major units with exactly the currency's digits and no currency code, such as
// "10.50", "-0.05" or "1500" for JPY.
func (a Amount) String() string {
	var room [32]byte
	return string(a.Append(room[:0]))
}

// Append appends what String returns.
func (a Amount) Append(b []byte) []byte {
	//nolint:gosec // two's complement on purpose: the next lines take the magnitude, also of MinInt64
	magnitude := uint64(a.minor)
	if a.minor < 0 {
		b, magnitude = append(b, '-'), -magnitude
	}

	var room [20]byte

	text := strconv.AppendUint(room[:0], magnitude, 10)

	digits := a.currency.Digits()
	if digits == 0 {
		return append(b, text...)
	}

	whole := max(0, len(text)-digits)
	if whole == 0 {
		b = append(b, '0')
	}

	b = append(b, text[:whole]...)
	b = append(b, '.')

	for range digits - (len(text) - whole) {
		b = append(b, '0')
	}

	return append(b, text[whole:]...)
}

// maxIntegerDigits is the largest number of digits before the decimal point.
const maxIntegerDigits = 12

// ParseMajor reads the text of a JSON number, or of a JSON string of the same form, as major units
// of the currency. It accepts plain and exponent notation ("150", "-0.5", "1.5e2") and ignores
// trailing zeros of a fraction. It returns ErrAmountMalformed for a text that is not a JSON number,
// ErrAmountTooPrecise and ErrAmountTooLarge.
func ParseMajor(text string, currency Currency) (Amount, error) {
	if !currency.Valid() {
		return Amount{}, ErrCurrencyUnknown
	}

	n, ok := scan(text)
	if !ok {
		return Amount{}, ErrAmountMalformed
	}

	minor, err := n.units(currency.Digits())
	if err != nil {
		return Amount{}, err
	}

	if n.negative {
		minor = -minor
	}

	return Amount{minor: minor, currency: currency}, nil
}

// units scales the number by 10^digits. It has at most 12 digits before the decimal point, so the
// result fits.
func (n number) units(digits int) (int64, error) {
	if len(n.digits)+n.exponent > maxIntegerDigits {
		return 0, ErrAmountTooLarge
	}

	if -n.exponent > digits {
		return 0, ErrAmountTooPrecise
	}

	var value uint64
	for _, c := range []byte(n.digits) {
		value = value*10 + uint64(c-'0')
	}

	for range n.exponent + digits {
		hi, lo := bits.Mul64(value, 10)
		if hi != 0 {
			return 0, ErrAmountTooLarge
		}

		value = lo
	}

	if value > math.MaxInt64 {
		return 0, ErrAmountTooLarge
	}

	return int64(value), nil
}
