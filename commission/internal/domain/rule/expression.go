package rule

import (
	"strings"

	"tributary/platform/money"
)

// number is a result that needs no calculation.
type number struct{ rate money.Rate }

func (n number) Value() money.Decimal { return n.rate.Decimal() }

func (n number) String() string { return n.rate.String() }

// product is a share of an amount.
type product struct {
	amount money.Amount
	rate   money.Rate
}

func (p product) Value() money.Decimal { return p.amount.Decimal().Mul(p.rate.Decimal()) }

func (p product) String() string { return p.amount.String() + " × " + p.rate.String() }

type sum []product

func (s sum) Value() money.Decimal {
	var total money.Decimal
	for _, part := range s {
		total = total.Add(part.Value())
	}

	return total
}

func (s sum) String() string {
	if len(s) == 0 {
		return "0"
	}

	parts := make([]string, len(s))
	for i, part := range s {
		parts[i] = part.String()
	}

	return "(" + strings.Join(parts, " + ") + ")"
}

// difference is one total less another.
type difference struct{ whole, before Expression }

func (d difference) Value() money.Decimal { return d.whole.Value().Sub(d.before.Value()) }

func (d difference) String() string { return d.whole.String() + " − " + d.before.String() }
