// Package ledger (domain) is the double entry for commissions and payouts: for each user and
// currency, money moves between five accounts.
package ledger

import (
	"fmt"
	"slices"

	"tributary/platform/money"
)

// Account is one of a user's accounts in a currency.
type Account string

// Programme is the counter-account: what the programme owes and has paid, negated. The five
// accounts therefore always sum to zero.
const (
	Programme Account = "programme"
	Pending   Account = "pending"
	Available Account = "available"
	InPayout  Account = "in_payout"
	Paid      Account = "paid"
)

// Path is a pair of accounts between which money may move.
type Path struct{ From, To Account }

// CommissionPaths returns the paths of a positive commission. A negative one takes them in reverse.
func CommissionPaths() []Path {
	return []Path{
		{Programme, Pending},   // earned and pending
		{Programme, Available}, // earned and approved at once
		{Pending, Available},   // approved
		{Pending, Programme},   // rejected
	}
}

// PayoutPaths returns the paths of a payout.
func PayoutPaths() []Path {
	return []Path{
		{Available, InPayout}, // requested
		{InPayout, Paid},      // completed
		{InPayout, Available}, // failed or cancelled
	}
}

// Transfer moves a positive amount from one account of a user to another, for one commission or one
// payout. Its sum is zero by construction: the zero Transfer moves nothing, and only ForCommission
// and ForPayout return another one.
type Transfer struct {
	userID       string
	path         Path
	amount       money.Amount
	commissionID string
	payoutID     string
	opening      bool
}

// ForCommission returns the transfer of a commission's amount along one of CommissionPaths. A
// negative amount moves its absolute value in reverse. An error means that the caller is wrong: the
// amount is zero, or the path is not one of a commission.
func ForCommission(id, userID string, amount money.Amount, path Path) (Transfer, error) {
	if !slices.Contains(CommissionPaths(), path) {
		return Transfer{}, fmt.Errorf("commission %s: no path from %s to %s", id, path.From, path.To)
	}

	opening := path.From == Programme

	if amount.Sign() < 0 {
		positive, err := amount.Neg()
		if err != nil {
			return Transfer{}, fmt.Errorf("commission %s: %w", id, err)
		}

		amount = positive
		path = Path{From: path.To, To: path.From}
	}

	t := Transfer{
		userID:       userID,
		path:         path,
		amount:       amount,
		commissionID: id,
		opening:      opening,
	}

	return t, t.check()
}

// ForPayout returns the transfer of a payout's amount along one of PayoutPaths. Errors are as for
// ForCommission; the amount must be positive.
func ForPayout(id, userID string, amount money.Amount, path Path) (Transfer, error) {
	if !slices.Contains(PayoutPaths(), path) {
		return Transfer{}, fmt.Errorf("payout %s: no path from %s to %s", id, path.From, path.To)
	}

	t := Transfer{
		userID:   userID,
		path:     path,
		amount:   amount,
		payoutID: id,
	}

	return t, t.check()
}

func (t Transfer) check() error {
	switch {
	case t.userID == "" || t.commissionID+t.payoutID == "":
		return fmt.Errorf("a transfer belongs to a user and to a commission or a payout")
	case t.amount.Sign() <= 0:
		return fmt.Errorf("%s%s: a transfer moves a positive amount", t.commissionID, t.payoutID)
	}

	return nil
}

// UserID returns the user whose accounts the transfer changes.
func (t Transfer) UserID() string { return t.userID }

// From returns the account that the amount leaves.
func (t Transfer) From() Account { return t.path.From }

// To returns the account that the amount enters.
func (t Transfer) To() Account { return t.path.To }

// Amount returns the amount, which is positive.
func (t Transfer) Amount() money.Amount { return t.amount }

// CommissionID returns the commission that the transfer belongs to, or "" if it belongs to a
// payout.
func (t Transfer) CommissionID() string { return t.commissionID }

// PayoutID returns the payout that the transfer belongs to, or "" if it belongs to a commission.
func (t Transfer) PayoutID() string { return t.payoutID }

// Opening reports whether the transfer is the first one of a commission, which brings its amount to
// an account of the user.
func (t Transfer) Opening() bool { return t.opening }

// Balance is what a user's accounts in a currency stand at.
type Balance struct {
	UserID    string
	Currency  money.Currency
	Pending   money.Total
	Available money.Total
	InPayout  money.Total
	Paid      money.Total
}
