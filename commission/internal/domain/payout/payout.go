// Package payout is a user's request to be paid out of what is available. Domain layer.
package payout

import (
	"time"

	"tributary/platform/fault"
	"tributary/platform/money"
)

// Status is where a payout is in its life.
type Status string

// The states; all but Requested are terminal.
const (
	Requested Status = "requested" // its amount is set aside
	Rejected  Status = "rejected"  // there was not enough; nothing was set aside
	Completed Status = "completed" // paid
	Failed    Status = "failed"    // could not be paid; the amount is available again
	Cancelled Status = "cancelled" // called off; the amount is available again
)

// ReasonBalance is why a payout is rejected by itself.
const ReasonBalance = "insufficient_balance"

// ReasonUnverified is why a payout is rejected whose command came with a token that nobody
// verified, where that is not enough.
const ReasonUnverified = "unverified_identity"

// Payout is a request with its outcome. Details are where to pay to, as the command had them:
// personal data, never shown or logged.
type Payout struct {
	ID          string // that of the command
	UserID      string
	Amount      money.Amount
	Method      string
	Details     string
	Status      Status
	Reason      string
	RequestedAt time.Time
	CreatedAt   time.Time
	ClosedAt    time.Time
	Version     int
}

// Decide makes the payout of a request: requested when the available minor units cover it, else
// rejected. A request that comes with a Reason is rejected for it.
func Decide(request Payout, available int64, now time.Time) Payout {
	request.Status = Requested
	request.CreatedAt = now

	request.Version = 1
	if request.Reason == "" && request.Amount.Minor() > available {
		request.Reason = ReasonBalance
	}

	if request.Reason != "" {
		request.Status, request.ClosedAt = Rejected, now
	}

	return request
}

// Close moves a requested payout to a terminal status; a conflict with code transition_refused for
// any other.
func (p Payout) Close(to Status, reason string, now time.Time) (Payout, error) {
	if p.Status != Requested {
		return p, fault.New(
			fault.Conflict,
			"transition_refused",
			"The payout is "+string(p.Status)+"; only a requested one can be closed.",
		)
	}

	p.Status = to
	p.Reason = reason
	p.ClosedAt = now
	p.Version++

	return p, nil
}
