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
	TimeZone string   `query:"tz" maxLength:"64" doc:"IANA time zone of the days; UTC if absent." example:"Europe/Berlin"`
}

// groupBody is a line of a summary. Dimensions that were not requested are absent.
type groupBody struct {
	UserID      *string         `json:"user_id,omitempty" doc:"The user who earns." example:"user123"`
	CampaignID  *string         `json:"campaign_id,omitempty" doc:"The campaign." example:"camp123"`
	EventType   *string         `json:"event_type,omitempty" doc:"The type of the event." example:"purchase"`
	Status      *string         `json:"status,omitempty" doc:"The status of the commissions." example:"approved"`
	Day         *string         `json:"day,omitempty" example:"2026-11-23" doc:"The day in the time zone of tz."`
	Currency    string          `json:"currency" doc:"ISO 4217." example:"USD"`
	Count       int64           `json:"count" doc:"The number of commissions." example:"12"`
	Amount      string          `json:"amount" doc:"The sum in major units." example:"120.00"`
	AmountMinor httpapi.Integer `json:"amount_minor" doc:"amount in minor units." example:"12000"`

	values []string // of all dimensions, in the order of the grouping
}

type summaryAnswer struct {
	Body httpapi.Page[groupBody]
}

// groupCursor is the position after the group with the values.
type groupCursor struct {
	Values []string `json:"values"`
}

func registerSummary(api huma.API, summarize *query.Summarize) {
	huma.Register(api, readOperation(huma.Operation{
		OperationID: "get-summary",
		Path:        "/summary",
		Summary:     "Summarise commissions",
		Description: "Returns counts and totals by any of the dimensions. Rejected rows count only if status is " +
			"filtered or grouped by.",
		Tags: []string{"Commissions"},
	}),
		func(ctx context.Context, in *summaryInput) (*summaryAnswer, error) {
			filter, err := in.of(ctx)
			if err != nil {
				return nil, err
			}

			grouping, err := groupingOf(in)
			if err != nil {
				return nil, err
			}

			var cursor groupCursor
			if err := in.After(filter.UserID, &cursor); err != nil {
				return nil, err
			}

			groups, err := summarize.Handle(
				ctx,
				callerOf(ctx),
				filter,
				grouping,
				in.Limit+1,
				cursor.Values,
			)
			if err != nil {
				return nil, err
			}

			bodies := make([]groupBody, len(groups))
			for i, g := range groups {
				bodies[i] = groupBodyOf(g, grouping.By)
			}

			page := httpapi.NewPage(
				&in.ListInput,
				bodies,
				func(b groupBody) groupCursor { return groupCursor{Values: b.values} },
			)

			return &summaryAnswer{Body: page}, nil
		})
}

func groupingOf(in *summaryInput) (query.Grouping, error) {
	grouping := query.Grouping{Zone: in.TimeZone}
	for _, name := range in.GroupBy {
		d, ok := query.ParseDimension(name)
		if !ok {
			var faults fault.Fields
			faults.Add(
				"group_by",
				fault.ErrInvalidValue,
				"must name user_id, campaign_id, event_type, status, currency or day",
			)

			return grouping, faults.Err()
		}

		grouping.By = append(grouping.By, d)
	}

	return grouping, grouping.Check()
}

func groupBodyOf(g query.Group, by []query.Dimension) groupBody {
	b := groupBody{
		Count:       g.Count,
		Amount:      g.Amount.String(),
		AmountMinor: httpapi.Integer(g.Amount.Minor()),
		values:      g.Values,
	}
	for i, value := range g.Values {
		switch by[i] {
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
			b.Currency = value
		}
	}

	return b
}
