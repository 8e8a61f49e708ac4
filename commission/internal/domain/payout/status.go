package payout

import (
	"slices"

	"tributary/commission/internal/domain/effect"
	"tributary/commission/internal/domain/ledger"
)

// Status is the state of a payout.
type Status string

// All but Requested are terminal.
const (
	Requested Status = "requested" // its amount is set aside
	Rejected  Status = "rejected"  // the balance did not cover it; nothing was set aside
	Completed Status = "completed" // paid
	Failed    Status = "failed"    // could not be paid; the amount is available again
	Cancelled Status = "cancelled" // called off; the amount is available again
)

// Statuses returns all statuses.
func Statuses() []Status { return []Status{Requested, Rejected, Completed, Failed, Cancelled} }

// Transition is a change of status, with the account to which the amount moves and the fact that it
// publishes.
type Transition struct {
	From, To Status
	Account  ledger.Account
	Fact     effect.Type
}

// Transitions returns the state machine. A trigger of the database has the same table.
func Transitions() []Transition {
	return []Transition{
		{Requested, Completed, ledger.Paid, effect.PayoutCompleted},
		{Requested, Failed, ledger.Available, effect.PayoutFailed},
		{Requested, Cancelled, ledger.Available, effect.PayoutCancelled},
	}
}

func transition(from, to Status) (Transition, bool) {
	all := Transitions()
	i := slices.IndexFunc(all, func(t Transition) bool { return t.From == from && t.To == to })

	if i < 0 {
		return Transition{}, false
	}

	return all[i], true
}
