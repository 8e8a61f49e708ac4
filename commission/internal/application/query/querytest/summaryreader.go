package querytest

import (
	"context"
	"slices"
	"time"

	"tributary/commission/internal/application/query"
	"tributary/commission/internal/domain/commission"
	"tributary/platform/money"
)

// Summary implements query.SummaryReader.
func (r Reader) Summary(
	_ context.Context,
	owner query.Owner,
	f query.CommissionFilter,
	grouping query.Grouping,
	limit int,
	after []string,
) ([]query.Group, error) {
	zone, err := time.LoadLocation(grouping.Zone)
	if err != nil {
		return nil, query.UnknownZone()
	}

	rejected := f.Status != "" || slices.Contains(grouping.By, query.ByStatus)

	var groups []query.Group

	for _, c := range r.store.Content().Commissions {
		if !selected(c, owner, f) || c.Status == commission.Rejected && !rejected {
			continue
		}

		values := make([]string, len(grouping.By))
		for i, d := range grouping.By {
			values[i] = valueOf(d, c, zone)
		}

		if after == nil || slices.Compare(values, after) > 0 {
			groups = counted(groups, values, c.Amount)
		}
	}

	slices.SortFunc(groups, func(a, b query.Group) int { return slices.Compare(a.Values, b.Values) })

	return groups[:min(limit, len(groups))], nil
}

// counted adds a row to the group with the values.
func counted(groups []query.Group, values []string, amount money.Amount) []query.Group {
	i := slices.IndexFunc(groups, func(g query.Group) bool { return slices.Equal(g.Values, values) })
	if i < 0 {
		return append(groups, query.Group{Values: values, Count: 1, Amount: amount.Total()})
	}

	groups[i].Count++
	groups[i].Amount = groups[i].Amount.Add(amount.Total())

	return groups
}

func valueOf(d query.Dimension, c commission.Snapshot, zone *time.Location) string {
	switch d {
	case query.ByUser:
		return c.UserID
	case query.ByCampaign:
		return c.CampaignID
	case query.ByEventType:
		return string(c.EventType)
	case query.ByStatus:
		return string(c.Status)
	case query.ByCurrency:
		return c.Amount.Currency().String()
	case query.ByDay:
		return c.OccurredAt.In(zone).Format(time.DateOnly)
	}

	return ""
}
