package query

import "context"

// Balance returns the caller's balances.
func (r *Reader) Balance(ctx context.Context, from Origin) (Document, error) {
	return r.source.Balance(ctx, from)
}
