package rest

import (
	"context"

	"github.com/danielgtaylor/huma/v2"

	"tributary/commission/internal/application/query"
	"tributary/platform/fault"
	"tributary/platform/httpapi"
)

type summaryInput struct {
	httpapi.ListInput
	CommissionFilter
	GroupBy  []string `query:"group_by" doc:"user_id, campaign_id, event_type, status, currency, day, separated by commas; currency is always added."`
	TimeZone string   `query:"tz" maxLength:"64" doc:"IANA time zone of the days; UTC where it is left out." example:"Europe/Berlin"`
}

// groupBody is a line of a summary; dimensions that were not asked for are absent.
type groupBody struct {
	UserID      *string `json:"user_id,omitempty"`
	CampaignID  *string `json:"campaign_id,omitempty"`
	EventType   *string `json:"event_type,omitempty"`
	Status      *string `json:"status,omitempty"`
	Day         *string `json:"day,omitempty" example:"2026-11-23"`
	Currency    string  `json:"currency"`
	Count       int64   `json:"count"`
	Amount      string  `json:"amount"`
	AmountMinor int64   `json:"amount_minor"`
}

type summaryAnswer struct {
	Body httpapi.Page[groupBody]
}

type offsetCursor struct {
	Offset int `json:"offset"`
}

const maxOffset = 10_000_000

func registerSummary(api huma.API, store query.Summaries) {
	huma.Register(api, readOperation("get-summary", "/summary", "Summarise commissions",
		"Counts and totals by any of the dimensions. Rejected rows count only where status is filtered or grouped by.", "Commissions"),
		func(ctx context.Context, in *summaryInput) (*summaryAnswer, error) {
			filter, err := in.of(ctx)
			if err != nil {
				return nil, err
			}
			grouping, err := groupingOf(in)
			if err != nil {
				return nil, err
			}
			var cursor offsetCursor
			if err := httpapi.DecodeCursor(in.Cursor, &cursor); err != nil || cursor.Offset < 0 || cursor.Offset > maxOffset {
				return nil, fault.New(fault.Malformed, "cursor_invalid", "The cursor was not made by this list; start again without one.")
			}
			groups, err := store.Summary(ctx, filter, grouping, in.Limit+1, cursor.Offset)
			if err != nil {
				return nil, err
			}
			bodies := make([]groupBody, len(groups))
			for i, g := range groups {
				bodies[i] = groupBodyOf(g)
			}
			next := offsetCursor{cursor.Offset + in.Limit}
			return &summaryAnswer{Body: httpapi.NewPage(bodies, in.Limit, func(groupBody) offsetCursor { return next })}, nil
		})
}

func groupingOf(in *summaryInput) (query.Grouping, error) {
	grouping := query.Grouping{Zone: in.TimeZone}
	for _, name := range in.GroupBy {
		d, ok := query.ParseDimension(name)
		if !ok {
			var faults fault.Fields
			faults.Add("group_by", "dimension_unknown", "must name user_id, campaign_id, event_type, status, currency or day")
			return grouping, faults.Err()
		}
		grouping.By = append(grouping.By, d)
	}
	return grouping, grouping.Check()
}

func groupBodyOf(g query.Group) groupBody {
	b := groupBody{Currency: g.Values[query.ByCurrency], Count: g.Count, Amount: g.Amount.String(), AmountMinor: g.Amount.Minor()}
	for d, value := range g.Values {
		switch d {
		case query.ByUser:
			b.UserID = &value
		case query.ByCampaign:
			b.CampaignID = &value
		case query.ByEventType:
			b.EventType = &value
		case query.ByStatus:
			b.Status = &value
		case query.ByDay:
			b.Day = &value
		case query.ByCurrency:
		}
	}
	return b
}
