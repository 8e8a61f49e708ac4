package query

import "context"

// Payment returns the caller's payment. Another user's payment is not found, whatever the source
// returns.
func (r *Reader) Payment(ctx context.Context, from Origin, commandID string) (Document, error) {
	found, err := r.source.Payout(ctx, from, commandID)
	if err != nil {
		return Document{}, err
	}

	if found.Owner != from.Caller.UserID() {
		return Document{}, ErrNotFound
	}

	return found, nil
}
