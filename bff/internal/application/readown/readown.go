// Package readown (application) is the family of reads: a caller's own payments, balance and
// commissions. The service keeps none of them; they come from the commission service as they are
// there.
package readown

import (
	"context"

	"tributary/bff/internal/domain/caller"
	"tributary/platform/fault"
)

// Query is who asks. Bearer is the caller's token, handed on so that the source applies its own
// rights too.
type Query struct {
	Caller caller.Caller
	Bearer string
}

// Page chooses a part of a list.
type Page struct {
	Limit  int
	Cursor string // "" for the beginning
}

// CommissionFilter chooses commissions; an empty field chooses all.
type CommissionFilter struct {
	CampaignID, ProductID, EventType, Status, Kind, Currency, OccurredFrom, OccurredTo string
}

// Document is the text of a JSON object, and whose it is.
type Document struct {
	Owner string // "" when the source was asked for one owner's only
	Text  string
}

// Source is where records are kept. Every method answers within two seconds. Its faults are
// commission_unavailable, and what it says of a wrong cursor or filter.
type Source interface {
	// Payout gives the payment that a command asked for; the fault payment_not_found when there is
	// none.
	Payout(ctx context.Context, q Query, commandID string) (Document, error)
	// Payouts gives a page of the caller's payments, of one status unless that is "".
	Payouts(ctx context.Context, q Query, status string, page Page) (Document, error)
	// Balance gives the caller's balances.
	Balance(ctx context.Context, q Query) (Document, error)
	// Commissions gives a page of the caller's commissions.
	Commissions(ctx context.Context, q Query, filter CommissionFilter, page Page) (Document, error)
}

// Reader answers the reads.
type Reader struct{ source Source }

// New makes a reader.
func New(source Source) *Reader { return &Reader{source: source} }

// Payment gives the caller's payment. Somebody else's is not found, whatever the source thinks.
func (r *Reader) Payment(ctx context.Context, q Query, commandID string) (Document, error) {
	found, err := r.source.Payout(ctx, q, commandID)
	if err != nil {
		return Document{}, err
	}

	if found.Owner != q.Caller.UserID() {
		return Document{}, NotFound()
	}

	return found, nil
}

// Payments gives a page of the caller's payments.
func (r *Reader) Payments(
	ctx context.Context,
	q Query,
	status string,
	page Page,
) (Document, error) {
	return r.source.Payouts(ctx, q, status, page)
}

// Balance gives the caller's balances.
func (r *Reader) Balance(ctx context.Context, q Query) (Document, error) {
	return r.source.Balance(ctx, q)
}

// Commissions gives a page of the caller's commissions.
func (r *Reader) Commissions(
	ctx context.Context,
	q Query,
	filter CommissionFilter,
	page Page,
) (Document, error) {
	return r.source.Commissions(ctx, q, filter, page)
}

// NotFound is the fault of a payment that is not there for the caller.
func NotFound() error {
	return fault.New(
		fault.NotFound,
		"payment_not_found",
		"You have no payment of this command. One that was submitted just now may take a moment to appear.",
	)
}
