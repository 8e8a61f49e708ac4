// Package query (application) reads a caller's own payments, balance and commissions: a file for
// each question. The service stores none of them; it passes on what the commission service returns.
package query

import (
	"context"

	"tributary/bff/internal/domain/caller"
)

// Origin identifies the caller. Bearer is the caller's token, which is passed on so that the source
// applies its own rights too.
type Origin struct {
	Caller caller.Caller
	Bearer string
}

// Page selects a part of a list.
type Page struct {
	Limit  int
	Cursor string // "" for the first page
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
	Payout(ctx context.Context, from Origin, commandID string) (Document, error)
	// Payouts returns a page of the caller's payments, of one status unless status is "".
	Payouts(ctx context.Context, from Origin, status string, page Page) (Document, error)
	// Balance returns the caller's balances.
	Balance(ctx context.Context, from Origin) (Document, error)
	// Commissions returns a page of the caller's commissions.
	Commissions(ctx context.Context, from Origin, filter CommissionFilter, page Page) (Document, error)
}

// Reader reads the caller's own records.
type Reader struct{ source Source }

func New(source Source) *Reader { return &Reader{source: source} }
