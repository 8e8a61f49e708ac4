package commandtest

import (
	"slices"

	"tributary/commission/internal/domain/ledger"
	"tributary/commission/internal/domain/payout"
	"tributary/platform/money"
)

// funds are what came into the available accounts and left them, and what payouts hold of it.
type funds struct {
	sums  map[sum]money.Total
	taken map[string]holding // by the id of the payout
}

// sum is one of the two sums of a user in a currency.
type sum struct {
	userID   string
	currency money.Currency
	side     ledger.Side
}

// holding is what a payout holds or has paid, or what it held before it was released.
type holding struct {
	userID    string
	currency  money.Currency
	intervals []ledger.Interval
	released  bool
}

func newFunds() funds {
	return funds{sums: map[sum]money.Total{}, taken: map[string]holding{}}
}

// post adds the amounts of transfers of commissions to the sums.
func (f funds) post(transfers []ledger.Transfer) {
	for _, t := range transfers {
		side, ok := t.Side()
		if !ok {
			continue
		}

		of := sum{userID: t.UserID(), currency: t.Amount().Currency(), side: side}
		f.sums[of] = t.Amount().Total().Add(f.sums[of])
	}
}

// take keeps intervals for the payout.
func (f funds) take(p payout.Snapshot, intervals []ledger.Interval) {
	f.taken[p.ID] = holding{
		userID:    p.UserID,
		currency:  p.Amount.Currency(),
		intervals: intervals,
	}
}

// release returns what the payout held.
func (f funds) release(payoutID string) {
	h := f.taken[payoutID]
	h.released = true
	f.taken[payoutID] = h
}

// intervals returns what each payout holds, has paid or has held, by the id of the payout.
func (f funds) intervals() map[string][]ledger.Interval {
	intervals := map[string][]ledger.Interval{}
	for payoutID, h := range f.taken {
		intervals[payoutID] = slices.Clone(h.intervals)
	}

	return intervals
}

// of returns what no payout of the user holds.
func (f funds) of(userID string, currency money.Currency) ledger.Funds {
	return ledger.Funds{
		Credits: f.free(sum{userID: userID, currency: currency, side: ledger.Credit}),
		Debits:  f.free(sum{userID: userID, currency: currency, side: ledger.Debit}),
	}
}

// free returns the gaps between what payouts hold of a sum.
func (f funds) free(of sum) []ledger.Interval {
	var held []ledger.Interval

	for _, h := range f.taken {
		for _, i := range h.intervals {
			if !h.released && h.userID == of.userID && h.currency == of.currency && i.Side == of.side {
				held = append(held, i)
			}
		}
	}

	slices.SortFunc(held, func(a, b ledger.Interval) int { return a.From.Cmp(b.From) })

	end := money.TotalOf(0, of.currency).Add(f.sums[of])
	held = append(held, ledger.Interval{Side: of.side, From: end, To: end})

	var gaps []ledger.Interval

	at := money.TotalOf(0, of.currency)
	for _, h := range held {
		if h.From.Cmp(at) > 0 {
			gaps = append(gaps, ledger.Interval{Side: of.side, From: at, To: h.From})
		}

		at = h.To
	}

	return gaps
}
