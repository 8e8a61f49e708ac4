package payout

import (
	"slices"
	"time"
	"unicode/utf8"

	"tributary/platform/fault"
	"tributary/platform/identifier"
)

// Closing is how a payout ends.
type Closing struct {
	To     Status
	Reason string // the operator's note
	// ExternalReference names the payment at the bank or provider; "" if there is no name.
	ExternalReference string
	// PaidAt is when a completed payout was paid; zero for the time of the closing.
	PaidAt time.Time
	// FailureCode is why a failed payout failed; "" for FailureOther.
	FailureCode FailureCode
}

// FailureCode is why a payment did not succeed.
type FailureCode string

// The failure codes. Those of the account and the recipient are for the partner to correct.
const (
	AccountInvalid    FailureCode = "account_invalid"    // no such account
	AccountClosed     FailureCode = "account_closed"     // the account was closed
	AccountBlocked    FailureCode = "account_blocked"    // the account accepts no payments
	RecipientMismatch FailureCode = "recipient_mismatch" // the name is not the account's
	RecipientRefused  FailureCode = "recipient_refused"  // refused, or not claimed in time
	LimitExceeded     FailureCode = "limit_exceeded"     // above a limit of bank or recipient
	FundsMissing      FailureCode = "funds_missing"      // the payer's account did not cover it
	Compliance        FailureCode = "compliance"         // stopped by a legal check
	Returned          FailureCode = "returned"           // sent back after it was paid
	Technical         FailureCode = "technical"          // a fault of the bank or provider
	FailureOther      FailureCode = "other"              // the note says why
)

// FailureCodes returns all failure codes.
func FailureCodes() []FailureCode {
	return []FailureCode{
		AccountInvalid,
		AccountClosed,
		AccountBlocked,
		RecipientMismatch,
		RecipientRefused,
		LimitExceeded,
		FundsMissing,
		Compliance,
		Returned,
		Technical,
		FailureOther,
	}
}

const (
	maxReference = 128
	// A bank's day may begin before ours, and its value date may be the next day.
	maxAhead = 24 * time.Hour
	// A bank's day may be the one before the payout was requested.
	maxBefore = 24 * time.Hour
)

// check adds each fault of the closing of a payout that was created at the time.
func (c Closing) check(faults *fault.Fields, created, now time.Time) {
	switch {
	case c.ExternalReference == "":
	case c.To == Cancelled:
		faults.Add("external_reference", fault.ErrNotApplicable, "is not allowed if nothing was paid")
	case utf8.RuneCountInString(c.ExternalReference) > maxReference ||
		!identifier.Printable(c.ExternalReference):
		faults.Add(
			"external_reference",
			fault.ErrInvalidValue,
			"must be 1 to 128 printable characters",
		)
	}

	switch {
	case c.PaidAt.IsZero():
	case c.To != Completed:
		faults.Add("paid_at", fault.ErrNotApplicable, "is allowed only if the payout was completed")
	case c.PaidAt.After(now.Add(maxAhead)):
		faults.Add("paid_at", fault.ErrFuture, "must be at most a day ahead")
	case c.PaidAt.Before(created.Add(-maxBefore)):
		faults.Add("paid_at", fault.ErrTooEarly, "must not be before the payout was requested")
	}

	switch {
	case c.FailureCode == "":
	case c.To != Failed:
		faults.Add("failure_code", fault.ErrNotApplicable, "is allowed only if the payout failed")
	case !slices.Contains(FailureCodes(), c.FailureCode):
		faults.Add("failure_code", fault.ErrInvalidValue, "must be one of the failure codes")
	}
}

// close applies the closing, or returns all its faults.
func (p *Payout) close(c Closing, now time.Time) error {
	var faults fault.Fields
	if c.check(&faults, p.snapshot.CreatedAt, now); len(faults) > 0 {
		return faults.Err()
	}

	p.snapshot.Status = c.To
	p.snapshot.Reason = c.Reason
	p.snapshot.ExternalReference = c.ExternalReference
	p.snapshot.ClosedAt = now
	p.changed(now)

	switch {
	case c.To == Completed && c.PaidAt.IsZero():
		p.snapshot.PaidAt = now
	case c.To == Completed:
		p.snapshot.PaidAt = c.PaidAt.UTC().Truncate(time.Microsecond)
	case c.To == Failed && c.FailureCode == "":
		p.snapshot.FailureCode = FailureOther
	case c.To == Failed:
		p.snapshot.FailureCode = c.FailureCode
	}

	return nil
}

// Matches reports whether the payout ended as the closing says. What the closing leaves out is not
// compared.
func (s Snapshot) Matches(c Closing) bool {
	return s.Status == c.To &&
		(c.ExternalReference == "" || c.ExternalReference == s.ExternalReference) &&
		(c.PaidAt.IsZero() || c.PaidAt.Equal(s.PaidAt)) &&
		(c.FailureCode == "" || c.FailureCode == s.FailureCode)
}
