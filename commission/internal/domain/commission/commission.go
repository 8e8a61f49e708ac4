// Package commission (domain) is the money that a user earned, or gave back, by an event or an
// adjustment. Its amounts never change; its status follows the state machine of Next.
package commission

import (
	"strings"
	"time"
	"unicode/utf8"

	"tributary/commission/internal/domain/decision"
	"tributary/commission/internal/domain/effect"
	"tributary/commission/internal/domain/event"
	"tributary/commission/internal/domain/ledger"
	"tributary/commission/internal/domain/rule"
	"tributary/platform/fault"
	"tributary/platform/identifier"
	"tributary/platform/money"
)

// Kind is the kind of a commission.
type Kind string

// Kinds of commissions.
const (
	Earning    Kind = "earning"
	Clawback   Kind = "clawback"
	Adjustment Kind = "adjustment"
)

func ParseKind(text string) (Kind, bool) {
	switch k := Kind(text); k {
	case Earning, Clawback, Adjustment:
		return k, true
	}

	return "", false
}

// Status is the state of a commission.
type Status string

// States of a commission.
const (
	Pending  Status = "pending"  // waits for AvailableAt or an approval
	Held     Status = "held"     // waits for a release
	Approved Status = "approved" // can be paid out
	Rejected Status = "rejected" // terminal: not earned
	Reversed Status = "reversed" // terminal: clawbacks reversed all of it
)

func ParseStatus(text string) (Status, bool) {
	switch s := Status(text); s {
	case Pending, Held, Approved, Rejected, Reversed:
		return s, true
	}

	return "", false
}

// open reports whether the money is still in the pending account.
func (s Status) open() bool { return s == Pending || s == Held }

// Account returns the account that holds the money of a commission in the status.
func (s Status) Account() ledger.Account {
	switch s {
	case Pending, Held:
		return ledger.Pending
	case Approved, Reversed:
		return ledger.Available
	case Rejected:
		return ledger.Programme
	}

	return ledger.Programme
}

// State is the content of a commission.
type State struct {
	ID         string
	EventID    string // "" for an adjustment by an operator
	UserID     string
	CampaignID string
	ProductID  string
	OrderID    string
	EventType  event.Type // "" for an adjustment by an operator
	Kind       Kind
	Status     Status
	Base       money.Amount
	Rate       string // exact decimal text; "" if the formula has no single rate
	Amount     money.Amount
	Rule       rule.Ref // the version that applied; zero for an adjustment by an operator
	// of a clawback, and of an adjustment by replay: the earning, or the first adjustment of an
	// event without an earning
	ReversesID  string
	Reason      string // of the last change by an operator
	AvailableAt time.Time
	OccurredAt  time.Time
	CreatedAt   time.Time
	Version     int
}

// Commission is a valid commission.
type Commission struct{ state State }

// Restore returns a commission with a stored state.
func Restore(state State) Commission { return Commission{state: state} }

// State returns a copy of the content.
func (c Commission) State() State { return c.state }

// Terms are what a commission needs beside its decision.
type Terms struct {
	ID     string
	Rate   string
	Now    time.Time
	Earner *State // of a clawback: the earning that it reverses, or the adjustment in its place
}

// FromDecision returns the commission of a decision that has one. An earning is approved at once if
// its hold period is over; a clawback follows its earning.
func FromDecision(d decision.Decision, terms Terms) Commission {
	facts := d.Event.Facts()

	s := State{
		ID:          terms.ID,
		EventID:     facts.ID,
		UserID:      facts.UserID,
		CampaignID:  facts.CampaignID,
		ProductID:   facts.ProductID,
		OrderID:     facts.OrderID,
		EventType:   facts.Type,
		Kind:        Earning,
		Status:      Pending,
		Base:        d.Base,
		Rate:        terms.Rate,
		Amount:      d.Amount,
		Rule:        d.Rule,
		AvailableAt: d.AvailableAt,
		OccurredAt:  facts.OccurredAt,
		CreatedAt:   terms.Now,
		Version:     1,
	}
	if !s.AvailableAt.After(terms.Now) {
		s.Status = Approved
	}

	if e := terms.Earner; e != nil {
		s.Kind = Clawback
		s.ReversesID = e.ID
		s.Status = Approved
		s.CampaignID = e.CampaignID
		s.ProductID = e.ProductID
		s.AvailableAt = e.AvailableAt

		s.Base = money.FromMinor(-d.Base.Minor(), d.Base.Currency())
		if e.Status.open() {
			s.Status = Pending
		}
	}

	return Commission{state: s}
}

// Following returns the adjustment with the status of the commission that it corrects: it is
// pending while that is.
func (c Commission) Following(corrected State) Commission {
	if corrected.Status.open() {
		c.state.Status, c.state.AvailableAt = Pending, corrected.AvailableAt
	}

	return c
}

// Transfer returns the transfer that posts the money of the commission.
func (c Commission) Transfer() (ledger.Transfer, error) {
	return ledger.ForCommission(
		c.state.ID,
		c.state.UserID,
		c.state.Amount,
		ledger.Path{From: ledger.Programme, To: c.state.Status.Account()},
	)
}

// Action is a change of status by an operator or by the clock.
type Action string

// Actions on commissions.
const (
	Approve Action = "approve"
	Hold    Action = "hold"
	Release Action = "release"
	Reject  Action = "reject"
)

// StandsAlone reports whether no other commission determines the status of this one: it is an
// earning, or the adjustment by which a replay grants what the first decision had not.
func (s State) StandsAlone() bool {
	return s.Kind == Earning || s.Kind == Adjustment && s.EventID != "" && s.ReversesID == ""
}

// ByOperator reports whether it is an adjustment that an operator made. Above a sum it is pending
// until a second person approves or rejects it.
func (s State) ByOperator() bool { return s.Kind == Adjustment && s.EventID == "" }

// Next is the state machine: it returns the status after the action. effect.ErrTransition is
// returned if the status does not allow the action. Only commissions that stand alone can be acted
// on; an adjustment by an operator that waits for a second person can be approved or rejected.
// Clawbacks and all other adjustments of replays follow theirs.
func (s State) Next(action Action) (Status, error) {
	from := s.Status

	refused := effect.ErrTransition.New(
		"The commission is " + string(from) + "; this status does not allow the action.",
	)

	waits := s.ByOperator() && (action == Approve || action == Reject)
	if !s.StandsAlone() && !waits {
		return "", effect.ErrTransition.New(
			"Only earnings can be acted on; clawbacks and adjustments follow theirs.",
		)
	}

	switch action {
	case Approve:
		if from == Pending {
			return Approved, nil
		}
	case Hold:
		if from == Pending {
			return Held, nil
		}
	case Release:
		if from == Held {
			return Pending, nil
		}
	case Reject:
		if from == Pending || from == Held {
			return Rejected, nil
		}
	}

	return "", refused
}

// maxReason is the largest length of a reason, in characters.
const maxReason = 500

// CheckReason returns a fault for an empty or over-long reason.
func CheckReason(reason string) error {
	var faults fault.Fields
	if strings.TrimSpace(reason) == "" || utf8.RuneCountInString(reason) > maxReason ||
		!printable(reason) {
		faults.Add("reason", fault.ErrInvalidValue, "must be 1 to 500 printable characters")
	}

	return faults.Err()
}

// printable reports whether every character can be seen, but for spaces, tabs and line ends.
func printable(text string) bool {
	return identifier.Printable(strings.NewReplacer("\n", " ", "\t", " ").Replace(text))
}
