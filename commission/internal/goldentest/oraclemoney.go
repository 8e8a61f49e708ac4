package goldentest

import (
	"math/big"
	"strings"
)

// commission returns what the event would earn with another base, all else being equal.
func (o *oracle) commission(v *verdict, base *big.Rat) (amount *big.Rat, why string) {
	r := v.rule
	if !atLeastMinimum(v, base) {
		return new(big.Rat), "minimum"
	}

	exact := new(big.Rat)
	switch r.Get("kind") {
	case "flat":
		exact = rat(r.Get("amount"))
	case "percentage":
		exact.Mul(base, rat(r.Get("rate")))
	default:
		exact.Sub(total(r, new(big.Rat).Add(v.volume, base)), total(r, v.volume))
	}

	amount = round(exact, digits(v.currency), r.Get("rounding") == "half_up")
	if m := r.Get("max"); m != "" && amount.Cmp(rat(m)) > 0 {
		amount, why = rat(m), "maximum"
	}

	if limit, _, ok := strings.Cut(r.Get("cap"), "/"); ok {
		room := new(big.Rat).Sub(rat(limit), v.earned)
		if room.Sign() < 0 {
			room = new(big.Rat)
		}

		if amount.Cmp(room) > 0 {
			amount, why = room, "cap"
		}
	}

	return amount, why
}

// total walks through a volume tier by tier: how much of it lies in each tier, or which tier it
// reaches.
func total(r *Line, volume *big.Rat) *big.Rat {
	sum, last := new(big.Rat), new(big.Rat)

	tiers := strings.Split(r.Get("tiers"), ",")
	for i, tier := range tiers {
		fromText, rate, _ := strings.Cut(tier, ":")

		from := rat(fromText)
		if r.Get("kind") == "all_units" {
			if volume.Cmp(from) >= 0 || i == 0 {
				last = rat(rate)
			}

			continue
		}

		top := new(big.Rat).Set(volume)
		if i+1 < len(tiers) {
			next, _, _ := strings.Cut(tiers[i+1], ":")
			if n := rat(next); n.Cmp(top) < 0 {
				top = n
			}
		}

		if part := new(big.Rat).Sub(top, from); part.Sign() > 0 {
			sum.Add(sum, part.Mul(part, rat(rate)))
		}
	}

	if r.Get("kind") == "all_units" {
		return new(big.Rat).Mul(volume, last)
	}

	return sum
}

// round rounds to the nearest multiple of 10^-digits, halves to the even one or away from zero. No
// number here is negative.
func round(x *big.Rat, digits int, up bool) *big.Rat {
	scaled := new(big.Rat).Mul(x, power(digits))
	whole := new(big.Int).Quo(scaled.Num(), scaled.Denom())
	rest := new(big.Rat).Sub(scaled, new(big.Rat).SetInt(whole))

	odd := new(big.Int).Mod(whole, big.NewInt(2)).Sign() != 0
	if c := rest.Cmp(big.NewRat(1, 2)); c > 0 || (c == 0 && (up || odd)) {
		whole.Add(whole, big.NewInt(1))
	}

	return new(big.Rat).Quo(new(big.Rat).SetInt(whole), power(digits))
}
