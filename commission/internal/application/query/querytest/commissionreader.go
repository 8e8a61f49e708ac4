package querytest

import (
	"context"

	"tributary/commission/internal/application/query"
	"tributary/commission/internal/domain/commission"
	"tributary/commission/internal/domain/decision"
)

// Commission implements query.CommissionReader.
func (r Reader) Commission(
	_ context.Context,
	owner query.Owner,
	id string,
) (commission.Snapshot, error) {
	return first(r.store.Content().Commissions, commission.ErrNotFound, func(c commission.Snapshot) bool {
		return c.ID == id && owner.Sees(c.UserID)
	})
}

// selected reports whether the owner sees the commission and the filter matches it.
func selected(c commission.Snapshot, owner query.Owner, f query.CommissionFilter) bool {
	return owner.Sees(c.UserID) &&
		equal(f.CampaignID, c.CampaignID) &&
		equal(f.ProductID, c.ProductID) &&
		equal(f.OrderID, c.OrderID) &&
		equal(f.EventType, string(c.EventType)) &&
		equal(f.Status, string(c.Status)) &&
		equal(f.Kind, string(c.Kind)) &&
		equal(f.Currency, c.Amount.Currency().String()) &&
		between(c.OccurredAt, f.OccurredFrom, f.OccurredTo) &&
		between(c.CreatedAt, f.CreatedFrom, f.CreatedTo) &&
		between(c.UpdatedAt, f.Updated.From, f.Updated.To)
}

// List implements query.CommissionReader.
func (r Reader) List(
	_ context.Context,
	owner query.Owner,
	f query.CommissionFilter,
	slice query.Slice,
) ([]commission.Snapshot, error) {
	l := list[commission.Snapshot]{
		rows:     r.store.Content().Commissions,
		position: func(c commission.Snapshot) query.Position { return query.Position{ID: c.ID} },
		compare:  newest,
		selects:  func(c commission.Snapshot) bool { return selected(c, owner, f) },
	}

	after := query.Position{ID: slice.After}

	if f.Updated.Asked() {
		after.At = slice.UpdatedAt
		l.compare = oldest
		l.position = func(c commission.Snapshot) query.Position {
			return query.Position{At: c.UpdatedAt, ID: c.ID}
		}
	}

	return l.page(slice.Limit, after), nil
}

// Decision implements query.DecisionReader.
func (r Reader) Decision(
	_ context.Context,
	owner query.Owner,
	eventID string,
) (query.Decided, error) {
	decisions := r.store.Content().Decisions

	return first(decisions, decision.ErrNotFound, func(d query.Decided) bool {
		return d.Event.ID() == eventID && owner.Sees(d.Event.UserID())
	})
}
