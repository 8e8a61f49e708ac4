package payout

import (
	"slices"

	"tributary/commission/internal/domain/effect"
	"tributary/commission/internal/domain/ledger"
)

// Status is where a payout is in its life.
type Status string

// All but Requested are terminal.
const (
	Requested Status = "requested" // its amount is set aside
	Rejected  Status = "rejected"  // there was not enough; nothing was set aside
	Completed Status = "completed" // paid
	Failed    Status = "failed"    // could not be paid; the amount is available again
	Cancelled Status = "cancelled" // called off; the amount is available again
)

// Statuses returns all of them.
func Statuses() []Status { return []Status{Requested, Rejected, Completed, Failed, Cancelled} }

// ParseStatus returns the status of that name, and reports whether there is one.
func ParseStatus(text string) (Status, bool) {
	s := Status(text)
	return s, slices.Contains(Statuses(), s)
}

// Transition is a change of status, with the account that the amount goes to and the fact that it
// is.
type Transition struct {
	From, To Status
	Account  ledger.Account
	Fact     effect.Type
}

// Transitions is the state machine. The database holds the same table as a trigger.
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
