// Package readown (application) reads a caller's own payments, balance and commissions. The service
// stores none of them; it passes on what the commission service returns.
package readown

import (
	"context"

	"tributary/bff/internal/domain/caller"
)

// Query identifies the caller. Bearer is the caller's token, which is passed on so that the source
// applies its own rights too.
type Query struct {
	Caller caller.Caller
	Bearer string
}

// Page selects a part of a list.
type Page struct {
	Limit  int
	Cursor string // "" for the first page
}

// CommissionFilter selects commissions. An empty field selects all.
type CommissionFilter struct {
	CampaignID, ProductID, EventType, Status, Kind, Currency, OccurredFrom, OccurredTo string
}

// Document is the text of a JSON object with its owner.
type Document struct {
	Owner string // "" if the source was asked for a single owner
	Text  string
}

// Source stores the records. Every method answers within two seconds. It returns the fault
// commission_unavailable, and the source's faults for an invalid cursor or filter.
type Source interface {
	// Payout returns the payment that a command requested. ErrNotFound is returned if
	// there is no such payment.
	Payout(ctx context.Context, q Query, commandID string) (Document, error)
	// Payouts returns a page of the caller's payments, of one status unless status is "".
	Payouts(ctx context.Context, q Query, status string, page Page) (Document, error)
	// Balance returns the caller's balances.
	Balance(ctx context.Context, q Query) (Document, error)
	// Commissions returns a page of the caller's commissions.
	Commissions(ctx context.Context, q Query, filter CommissionFilter, page Page) (Document, error)
}

// Reader reads the caller's own records.
type Reader struct{ source Source }

func New(source Source) *Reader { return &Reader{source: source} }

// Payment returns the caller's payment. Another user's payment is not found, whatever the source
// returns.
func (r *Reader) Payment(ctx context.Context, q Query, commandID string) (Document, error) {
	found, err := r.source.Payout(ctx, q, commandID)
	if err != nil {
		return Document{}, err
	}

	if found.Owner != q.Caller.UserID() {
		return Document{}, ErrNotFound
	}

	return found, nil
}

// Payments returns a page of the caller's payments.
func (r *Reader) Payments(
	ctx context.Context,
	q Query,
	status string,
	page Page,
) (Document, error) {
	return r.source.Payouts(ctx, q, status, page)
}

// Balance returns the caller's balances.
func (r *Reader) Balance(ctx context.Context, q Query) (Document, error) {
	return r.source.Balance(ctx, q)
}

// Commissions returns a page of the caller's commissions.
func (r *Reader) Commissions(
	ctx context.Context,
	q Query,
	filter CommissionFilter,
	page Page,
) (Document, error) {
	return r.source.Commissions(ctx, q, filter, page)
}
