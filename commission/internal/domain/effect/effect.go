// Package effect (domain) describes what a change of an aggregate causes beside its new state:
// transfers in the ledger, and facts to publish.
package effect

import "tributary/commission/internal/domain/ledger"

// Fact states that something happened to a payout.
type Fact struct {
	Type            Type
	SubjectID       string
	UserID          string
	PreviousStatus  string // "" for a new one
	PreviousVersion int    // 0 for a new one
}

// Type is the name of a fact, as in the published events.
type Type string

// Facts about payouts.
const (
	PayoutRequested Type = "payout.requested"
	PayoutRejected  Type = "payout.rejected"
	PayoutCompleted Type = "payout.completed"
	PayoutFailed    Type = "payout.failed"
	PayoutCancelled Type = "payout.cancelled"
)

// Effect is what a change causes. The transfers, and what a payout takes, are written in the
// transaction of the change; the facts are not stored yet.
type Effect struct {
	Transfers []ledger.Transfer
	Taken     []ledger.Interval
	Facts     []Fact
}
