package ledger

import (
	"fmt"

	"tributary/platform/money"
)

// Side is one of the two sums over which a user's commissions enter and leave the available
// account.
type Side string

const (
	Credit Side = "credit" // what came in: earnings, and what operators and replays added
	Debit  Side = "debit"  // what was taken out: clawbacks, and what operators and replays took
)

// Side returns the sum that the transfer adds to; the bool is false for that of a payout, and for
// one that does not touch the available account.
func (t Transfer) Side() (Side, bool) {
	switch {
	case t.commissionID == "":
		return "", false
	case t.path.To == Available:
		return Credit, true
	case t.path.From == Available:
		return Debit, true
	}

	return "", false
}

// Interval is a part of a sum, from inclusive to exclusive. The commissions whose positions lie in
// it are its content.
type Interval struct {
	Side     Side
	From, To money.Total
}

// Size returns the amount of the interval.
func (i Interval) Size() money.Total { return i.To.Sub(i.From) }

// Funds is what no payout of a user in a currency holds or has paid: intervals of both sums. Those
// of a side are in ascending order and disjoint.
type Funds struct {
	Credits, Debits []Interval
}

// Available returns what a payout may take: the credits, less the debits. It is below zero if
// debits followed a payout.
func (f Funds) Available() money.Total {
	return sum(f.Credits).Sub(sum(f.Debits))
}

// Take returns what a payout of the positive amount takes: all debits, and the first credits, so
// that credits less debits are the amount. What came first is paid first. An error means that the
// caller is wrong: the amount is not positive, or not available.
func (f Funds) Take(amount money.Amount) ([]Interval, error) {
	wanted := amount.Total()
	if wanted.Sign() <= 0 || f.Available().Cmp(wanted) < 0 {
		return nil, fmt.Errorf("%s cannot be taken from %s", wanted, f.Available())
	}

	var taken []Interval

	missing := wanted.Add(sum(f.Debits))
	for _, credit := range f.Credits {
		if credit.Size().Cmp(missing) > 0 {
			credit.To = credit.From.Add(missing)
		}

		taken = append(taken, credit)

		if missing = missing.Sub(credit.Size()); missing.Sign() == 0 {
			break
		}
	}

	return append(taken, f.Debits...), nil
}

func sum(intervals []Interval) money.Total {
	var total money.Total
	for _, i := range intervals {
		total = i.Size().Add(total)
	}

	return total
}
