package money

import "math/big"

// Rate is an exact decimal in [0, 1000000) with at most 12 fractional digits, such as 0.1 for ten
// per cent. It is comparable with ==. The zero value is 0.
type Rate struct {
	unscaled int64
	scale    int
}

// One returns the rate 1: 100 %.
func One() Rate { return Rate{unscaled: 1} }

// Limits of a rate. Its digits together fit 64 bits.
const (
	maxRateInteger  = 6
	maxRateFraction = 12
)

// ParseRate reads a rate from the text of a JSON number, or of a JSON string of the same form.
// ErrRateMalformed is returned for any other text.
func ParseRate(text string) (Rate, error) {
	n, ok := scan(text)
	if !ok || n.negative || len(n.digits)+n.exponent > maxRateInteger ||
		-n.exponent > maxRateFraction {
		return Rate{}, ErrRateMalformed
	}

	var r Rate
	for _, c := range []byte(n.digits) {
		r.unscaled = r.unscaled*10 + int64(c-'0')
	}

	for range n.exponent {
		r.unscaled *= 10
	}

	r.scale = max(0, -n.exponent)

	return r, nil
}

// Decimal returns the rate as an exact decimal.
func (r Rate) Decimal() Decimal {
	return Decimal{unscaled: big.NewInt(r.unscaled), scale: r.scale}
}

// IsZero reports whether the rate is 0.
func (r Rate) IsZero() bool { return r.unscaled == 0 }

// Cmp returns -1, 0 or 1 if r is less than, equal to or greater than other.
func (r Rate) Cmp(other Rate) int { return r.Decimal().Cmp(other.Decimal()) }

// String returns the canonical text, such as "0.1".
func (r Rate) String() string { return r.Decimal().String() }
