package query

import "context"

// CommissionFilter selects commissions. An empty field selects all.
type CommissionFilter struct {
	CampaignID   string
	ProductID    string
	EventType    string
	Status       string
	Kind         string
	Currency     string
	OccurredFrom string
	OccurredTo   string
}

// Commissions returns a page of the caller's commissions.
func (r *Reader) Commissions(
	ctx context.Context,
	from Origin,
	filter CommissionFilter,
	page Page,
) (Document, error) {
	return r.source.Commissions(ctx, from, filter, page)
}
