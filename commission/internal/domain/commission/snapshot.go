package commission

import (
	"time"

	"tributary/commission/internal/domain/ledger"
	"tributary/commission/internal/domain/rule"
	"tributary/contracts/eventtype"
	"tributary/platform/money"
)

// Kind is the kind of a commission.
type Kind string

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

const (
	Pending  Status = "pending"  // waits for AvailableAt or an approval
	Held     Status = "held"     // waits for a release
	Approved Status = "approved" // can be paid out
	Rejected Status = "rejected" // terminal: not earned
	Reversed Status = "reversed" // terminal: clawbacks reversed all of it
)

// Statuses returns all statuses.
func Statuses() []Status { return []Status{Pending, Held, Approved, Rejected, Reversed} }

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

// Snapshot is the content of a commission.
type Snapshot struct {
	ID         string
	EventID    string // "" for an adjustment by an operator
	UserID     string
	CampaignID string
	ProductID  string
	OrderID    string
	EventType  eventtype.Type // "" for an adjustment by an operator
	Kind       Kind
	Status     Status
	Base       money.Amount
	Rate       string // exact decimal text; "" if the formula has no single rate
	Amount     money.Amount
	Rule       rule.Ref // the version that applied; zero for an adjustment by an operator
	// of a clawback, and of an adjustment by replay: the earning, or the first adjustment of an
	// event without an earning
	ReversesID  string
	ReplayID    string // of an adjustment that a replay made
	Reason      string // of the last change by an operator
	AvailableAt time.Time
	OccurredAt  time.Time
	CreatedAt   time.Time
	UpdatedAt   time.Time // when it was changed last, or created
	Version     int
	// the operator who made an adjustment; known to those who approve it
	MadeBy string
}

// StandsAlone reports whether no other commission determines the status of this one: it is an
// earning, or the adjustment by which a replay grants what the first decision had not.
func (s *Snapshot) StandsAlone() bool {
	role := s.Role()
	return role == Earned || role == Granted
}

// ByOperator reports whether it is an adjustment that an operator made. Above a sum it is pending
// until a second person approves or rejects it.
func (s *Snapshot) ByOperator() bool { return s.Role() == ByHand }
