// Package effect (domain) describes what a change of an aggregate causes beside its new state:
// transfers in the ledger, and facts to publish.
package effect

import (
	"strings"

	"tributary/commission/internal/domain/ledger"
)

// Fact states that something happened to a commission, a payout or a rule, with what it was before.
// It is published as an event.
type Fact struct {
	Type            Type
	SubjectID       string
	UserID          string // "" for a rule
	Status          string
	Version         int
	PreviousStatus  string // "" for a new one
	PreviousVersion int    // 0 for a new one
}

// Type is the name of a fact, as in the published events.
type Type string

// Subject is the kind of thing that a fact is about.
type Subject string

const (
	Decision   Subject = "decision" // the subject's id is that of the event
	Commission Subject = "commission"
	Payout     Subject = "payout"
	Rule       Subject = "rule"
)

// Subject returns the kind of thing that the fact is about.
func (t Type) Subject() Subject {
	subject, _, _ := strings.Cut(string(t), ".")
	return Subject(subject)
}

// DecisionMade is the fact that an event was decided, or that a parked one was resolved.
const DecisionMade Type = "decision.made"

// Facts about commissions. A new earning or clawback comes with the decision about its event.
const (
	CommissionAdjusted Type = "commission.adjusted"
	CommissionApproved Type = "commission.approved"
	CommissionHeld     Type = "commission.held"
	CommissionReleased Type = "commission.released"
	CommissionRejected Type = "commission.rejected"
	CommissionReversed Type = "commission.reversed"
)

const (
	PayoutRequested Type = "payout.requested"
	PayoutRejected  Type = "payout.rejected"
	PayoutCompleted Type = "payout.completed"
	PayoutFailed    Type = "payout.failed"
	PayoutCancelled Type = "payout.cancelled"
	// Anything but the status: it joined or left a batch, or another request with its id was noted.
	PayoutUpdated Type = "payout.updated"
)

const (
	RulePublished Type = "rule.published"
	RuleRetired   Type = "rule.retired"
)

// Effect is what a change causes. Transfers, what a payout takes, and facts are written in the
// transaction of the change.
type Effect struct {
	Transfers []ledger.Transfer
	Taken     []ledger.Interval
	Facts     []Fact
}

// Add appends what another change causes.
func (e *Effect) Add(other Effect) {
	e.Transfers = append(e.Transfers, other.Transfers...)
	e.Taken = append(e.Taken, other.Taken...)
	e.Facts = append(e.Facts, other.Facts...)
}
