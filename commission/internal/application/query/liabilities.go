package query

import (
	"context"
	"time"

	"tributary/platform/money"
)

// Liability is what the programme owes all users in a currency, and has paid them.
type Liability struct {
	Currency  money.Currency
	Users     int64 // that have a balance in the currency now
	Pending   money.Total
	Available money.Total // below zero balances are taken off
	InPayout  money.Total
	Paid      money.Total
	Overdrawn money.Total // the below zero balances in Available, as a negative sum
}

// Owed returns what is pending, available and in payouts.
func (l Liability) Owed() money.Total { return l.Pending.Add(l.Available).Add(l.InPayout) }

// Bucket says when pending money becomes available.
type Bucket string

const (
	Due      Bucket = "due"           // approved with the next run of the clock
	Within7  Bucket = "within_7_days" // of the time of the question
	Within30 Bucket = "within_30_days"
	Within60 Bucket = "within_60_days"
	Within90 Bucket = "within_90_days"
	Later    Bucket = "later"
	Held     Bucket = "held"     // not before an operator releases it
	Approval Bucket = "approval" // an adjustment that waits for a second person
)

// Ages is the pending money of a currency in a bucket.
type Ages struct {
	Currency money.Currency
	Bucket   Bucket
	Count    int64 // of commissions
	Amount   money.Total
}

// LiabilityReader reads what is owed to all users.
type LiabilityReader interface {
	// Liabilities returns the liability of each currency in which a user has a balance now, or of
	// one currency, by currency. asOf is as in BalanceFilter: what is posted then, or later, does
	// not count.
	Liabilities(ctx context.Context, currency string, asOf time.Time) ([]Liability, error)
	// Ageing returns what is pending, by currency and bucket as of now, in the order of the
	// buckets. What becomes available at the end of a bucket is in it. Clawbacks and corrections
	// are where their earning is. Buckets without commissions are absent.
	Ageing(ctx context.Context, currency string, now time.Time) ([]Ages, error)
}

// GetLiabilities reads what is owed, for those who see the data of every user.
type GetLiabilities struct {
	reader LiabilityReader
	now    func() time.Time
}

// NewGetLiabilities returns the query. It is safe for concurrent use.
func NewGetLiabilities(reader LiabilityReader, now func() time.Time) *GetLiabilities {
	return &GetLiabilities{reader: reader, now: now}
}

// Totals returns the liabilities as LiabilityReader does, and none to a caller who sees only its
// own data.
func (q *GetLiabilities) Totals(
	ctx context.Context,
	caller Caller,
	currency string,
	asOf time.Time,
) ([]Liability, error) {
	if !caller.SeesAll() {
		return nil, nil
	}

	return q.reader.Liabilities(ctx, currency, asOf)
}

// Ageing returns what is pending as LiabilityReader does, and nothing to a caller who sees only its
// own data.
func (q *GetLiabilities) Ageing(
	ctx context.Context,
	caller Caller,
	currency string,
) ([]Ages, error) {
	if !caller.SeesAll() {
		return nil, nil
	}

	return q.reader.Ageing(ctx, currency, q.now().UTC())
}
