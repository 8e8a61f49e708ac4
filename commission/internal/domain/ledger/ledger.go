// Package ledger is the double entry under commissions and payouts: for each user and currency,
// money moves between five accounts. Domain layer.
package ledger

import "tributary/platform/money"

// Account is one of a user's accounts in a currency.
type Account string

// The accounts. Programme is the counter-account: what the programme owes and has paid, negated; so
// the five always sum to zero.
const (
	Programme Account = "programme"
	Pending   Account = "pending"
	Available Account = "available"
	InPayout  Account = "in_payout"
	Paid      Account = "paid"
)

// Transfer moves a positive amount from one account of a user to another. It is balanced by
// construction.
type Transfer struct {
	UserID       string
	From, To     Account
	Amount       money.Amount
	CommissionID string // the commission that it belongs to, or
	PayoutID     string // the payout
}

// Move makes the transfer of an amount, the other way round when it is negative. None for zero.
func Move(t Transfer) (Transfer, bool) {
	if t.Amount.Sign() < 0 {
		amount, err := t.Amount.Neg()
		if err != nil {
			return Transfer{}, false
		}

		t.From, t.To = t.To, t.From
		t.Amount = amount
	}

	return t, t.Amount.Sign() > 0
}

// Balance is what a user's accounts in a currency stand at, in minor units.
type Balance struct {
	UserID    string
	Currency  money.Currency
	Pending   int64
	Available int64
	InPayout  int64
	Paid      int64
}
