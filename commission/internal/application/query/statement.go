package query

import (
	"context"
	"time"

	"tributary/platform/fault"
	"tributary/platform/money"
)

// Entry is what a line of a statement does to what a user is owed.
type Entry string

const (
	Earned     Entry = "earned"
	ClawedBack Entry = "clawed_back"
	Adjusted   Entry = "adjusted"
	Refused    Entry = "rejected" // an earlier line of a commission that an operator rejected
	PaidOut    Entry = "paid"
)

// Line is a line of a statement: money that a commission or a payout added to what the user is
// owed, or took from it.
type Line struct {
	Position LinePosition

	Entry        Entry
	At           time.Time
	CommissionID string // or "", and PayoutID is set
	PayoutID     string
	EventID      string
	OrderID      string
	CampaignID   string
	Reference    string       // of the payment of a payout
	Amount       money.Amount // signed
}

// LinePosition is a position in a statement. The commissions come first, as they were made, then
// the rejections, and then the payouts.
type LinePosition struct {
	Part int    // 0 for the first lines
	ID   string // of the commission or payout
}

// Account is a statement's sums in a currency. Opening and the lines are Closing, and that is the
// opening of the next month.
type Account struct {
	Currency money.Currency
	Opening  money.Total
	Lines    map[Entry]money.Total
	Closing  money.Total
}

// Period is the time of a statement, from inclusive to exclusive.
type Period struct {
	Month    string // 2026-11
	Zone     string
	Location *time.Location
	From, To time.Time
	// Until is To, or the moment to which the statement of a running month goes. Nothing that
	// happened before it is still to be stored.
	Until time.Time
}

// Final reports whether the statement will not change.
func (p Period) Final() bool { return p.Until.Equal(p.To) }

// StatementReader reads statements.
type StatementReader interface {
	// Accounts returns the sums by currency of the one user that the owner is limited to: one for
	// each balance that the user has now, and none for a user who never earned. It counts the lines
	// of the times before period.Until.
	Accounts(ctx context.Context, owner Owner, period Period) ([]Account, error)
	// Lines returns at most limit lines of that user that follow the one at the position after: of
	// the times from period.From inclusive to period.Until exclusive. Those of a part come by id.
	Lines(
		ctx context.Context,
		owner Owner,
		period Period,
		limit int,
		after LinePosition,
	) ([]Line, error)
}

// visibilityDelay is how long a transaction may take until what it stores is visible.
const visibilityDelay = time.Minute

// Statements reads statements: what a user was owed when a month began and ended, and every line
// between. Months are those of the programme's time zone.
type Statements struct {
	reader StatementReader
	zone   *time.Location
	now    func() time.Time
}

// NewStatements returns the query. It is safe for concurrent use.
func NewStatements(
	reader StatementReader,
	zone *time.Location,
	now func() time.Time,
) *Statements {
	return &Statements{reader: reader, zone: zone, now: now}
}

// Period returns the period of the month, as in 2026-11. fault.ErrValidation is returned for a text
// that is no month, and for a month that has not begun.
func (q *Statements) Period(month string) (Period, error) {
	from, err := time.ParseInLocation("2006-01", month, q.zone)
	until := q.now().Add(-visibilityDelay)

	var faults fault.Fields
	if err != nil {
		faults.Add("month", fault.ErrInvalidValue, "must be a month such as 2026-11")
	} else if !from.Before(q.now()) {
		faults.Add("month", fault.ErrFuture, "must have begun")
	}

	if err := faults.Err(); err != nil {
		return Period{}, err
	}

	to := from.AddDate(0, 1, 0)
	if to.Before(until) {
		until = to
	}

	if until.Before(from) {
		until = from
	}

	return Period{
		Month:    month,
		Zone:     q.zone.String(),
		Location: q.zone,
		From:     from.UTC(),
		To:       to.UTC(),
		Until:    until.UTC(),
	}, nil
}

// Accounts returns the sums of the user's statement. fault.ErrForeignUser is returned if the caller
// may not see it.
func (q *Statements) Accounts(
	ctx context.Context,
	caller Caller,
	userID string,
	period Period,
) ([]Account, error) {
	owner, err := caller.OwnerOf(userID)
	if err != nil {
		return nil, err
	}

	return q.reader.Accounts(ctx, owner, period)
}

// Lines returns a page of the lines of the user's statement, as StatementReader.Lines does.
// fault.ErrForeignUser is returned if the caller may not see it.
func (q *Statements) Lines(
	ctx context.Context,
	caller Caller,
	userID string,
	period Period,
	limit int,
	after LinePosition,
) ([]Line, error) {
	owner, err := caller.OwnerOf(userID)
	if err != nil {
		return nil, err
	}

	return q.reader.Lines(ctx, owner, period, limit, after)
}
