// Package effect (domain) describes what a change of an aggregate causes beside its new state:
// transfers in the ledger, and facts to publish.
package effect

import "tributary/commission/internal/domain/ledger"

// Fact states that something happened to a commission or a payout.
type Fact struct {
	Type            Type
	SubjectID       string
	UserID          string
	PreviousStatus  string // "" for a new one
	PreviousVersion int    // 0 for a new one
}

// Type is the name of a fact, as in the published events.
type Type string

// Facts about commissions and payouts.
const (
	CommissionMade     Type = "commission.made" // with its decision or by an adjustment
	CommissionApproved Type = "commission.approved"
	CommissionHeld     Type = "commission.held"
	CommissionReleased Type = "commission.released"
	CommissionRejected Type = "commission.rejected"
	CommissionReversed Type = "commission.reversed"
	CommissionAdjusted Type = "commission.adjusted"

	PayoutRequested Type = "payout.requested"
	PayoutRejected  Type = "payout.rejected"
	PayoutCompleted Type = "payout.completed"
	PayoutFailed    Type = "payout.failed"
	PayoutCancelled Type = "payout.cancelled"
)

// Effect is what a change causes. It is written in the transaction of the change.
type Effect struct {
	Transfers []ledger.Transfer
	Facts     []Fact
}

// And returns both effects as one.
func (e Effect) And(other Effect) Effect {
	return Effect{
		Transfers: append(e.Transfers, other.Transfers...),
		Facts:     append(e.Facts, other.Facts...),
	}
}
