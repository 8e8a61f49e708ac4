// Package querytest provides a source of records in memory, and the contract suite that it and the
// client of the commission service pass.
package querytest

import (
	"context"

	"tributary/bff/internal/application/query"
	"tributary/platform/fault"
)

// The records of every Source in a World, and what it refuses.
const (
	User        = "user123"
	PaymentID   = "01929b1c-7b5e-7c11-8a10-0000000000b3"
	Payment     = `{"id":"` + PaymentID + `","user_id":"` + User + `","amount":"150.00"}`
	Payments    = `{"data":[` + Payment + `],"has_more":false}`
	Balance     = `{"data":[{"available":"1.10"}]}`
	Commissions = `{"data":[],"has_more":false}`
	BadCursor   = "of-another-list"
	BadStatus   = "paid"
)

// Source keeps the records of one user. Err, if set, is returned instead of any record.
type Source struct{ Err error }

var _ query.Source = (*Source)(nil)

func (s *Source) Payout(_ context.Context, _ query.Origin, id string) (query.Document, error) {
	switch {
	case s.Err != nil:
		return query.Document{}, s.Err
	case id != PaymentID:
		return query.Document{}, query.ErrNotFound
	}

	return query.Document{Owner: User, Text: Payment}, nil
}

func (s *Source) Payouts(
	_ context.Context,
	_ query.Origin,
	status string,
	page query.Page,
) (query.Document, error) {
	return s.list(Payments, status, page)
}

func (s *Source) Balance(context.Context, query.Origin) (query.Document, error) {
	return s.list(Balance, "", query.Page{})
}

func (s *Source) Commissions(
	_ context.Context,
	_ query.Origin,
	filter query.CommissionFilter,
	page query.Page,
) (query.Document, error) {
	return s.list(Commissions, filter.Status, page)
}

// list returns the list unless its status or cursor is refused.
func (s *Source) list(text, status string, page query.Page) (query.Document, error) {
	switch {
	case s.Err != nil:
		return query.Document{}, s.Err
	case page.Cursor == BadCursor:
		return query.Document{}, fault.ErrCursor
	case status == BadStatus:
		var faults fault.Fields

		faults.Add("status", fault.ErrInvalidValue, "must be a status")

		return query.Document{}, faults.Err()
	}

	return query.Document{Text: text}, nil
}
