package query

import "context"

// Payments returns a page of the caller's payments, of one status unless status is "".
func (r *Reader) Payments(
	ctx context.Context,
	from Origin,
	status string,
	page Page,
) (Document, error) {
	return r.source.Payouts(ctx, from, status, page)
}
