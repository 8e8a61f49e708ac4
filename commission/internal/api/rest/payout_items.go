package rest

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"tributary/commission/internal/application/query"
	"tributary/commission/internal/domain/ledger"
	"tributary/platform/httpapi"
)

// itemBody is a part of what a payout pays.
type itemBody struct {
	CommissionID          string    `json:"commission_id" format:"uuid" doc:"The commission that is paid, or netted."`
	Kind                  string    `json:"kind" enum:"earning,clawback,adjustment" doc:"The kind of the commission."`
	EventID               *string   `json:"event_id" doc:"The event of the commission. Null for an adjustment by an operator." example:"event789"`
	OrderID               *string   `json:"order_id" doc:"The order of the event." example:"order789"`
	CampaignID            *string   `json:"campaign_id" doc:"The campaign of the event." example:"camp123"`
	OccurredAt            time.Time `json:"occurred_at" doc:"When the event occurred."`
	Amount                string    `json:"amount" doc:"What this payout pays of the commission, in major units; negative for what it nets." example:"10.00"`
	AmountMinor           int64     `json:"amount_minor" doc:"amount in minor units. Those of all items sum to the payout." example:"1000"`
	CommissionAmount      string    `json:"commission_amount" doc:"The whole commission in major units." example:"10.00"`
	CommissionAmountMinor int64     `json:"commission_amount_minor" doc:"commission_amount in minor units." example:"1000"`

	position query.ItemPosition
}

func itemBodyOf(item query.Item) itemBody {
	return itemBody{
		CommissionID:          item.CommissionID,
		Kind:                  string(item.Kind),
		EventID:               optional(item.EventID),
		OrderID:               optional(item.OrderID),
		CampaignID:            optional(item.CampaignID),
		OccurredAt:            item.OccurredAt,
		Amount:                item.Amount.String(),
		AmountMinor:           item.Amount.Minor(),
		CommissionAmount:      item.Whole.String(),
		CommissionAmountMinor: item.Whole.Minor(),
		position:              item.Position,
	}
}

type listItemsInput struct {
	httpapi.ListInput
	PayoutInput
}

type itemCursor struct {
	Side     string `json:"side"`
	Interval string `json:"interval"`
	Position string `json:"position"`
}

type itemList struct{ Body httpapi.Page[itemBody] }

func registerPayoutItems(api huma.API, items *query.ListPayoutItems) {
	huma.Register(api, readOperation(huma.Operation{
		OperationID: "list-payout-items",
		Path:        "/payouts/{id}/items",
		Summary:     "List what a payout pays",
		Description: "Returns the commissions that the payout pays, in the order in which they became available, " +
			"and then those that it nets. The amounts of all items sum to the payout. Of a payout that failed or " +
			"was cancelled, the items are what it had held; a rejected one has none. A commission is listed " +
			"twice if the payout pays two parts of it.",
		Tags:   []string{"Payouts"},
		Errors: []int{http.StatusNotFound},
	}),
		func(ctx context.Context, in *listItemsInput) (*itemList, error) {
			var cursor itemCursor
			if err := openCursor(ctx, &in.ListInput, "", &cursor); err != nil {
				return nil, err
			}

			rows, err := items.Handle(
				ctx,
				callerOf(ctx),
				string(in.ID),
				in.Limit+1,
				query.ItemPosition{
					Side:     ledger.Side(cursor.Side),
					Interval: cursor.Interval,
					Position: cursor.Position,
				},
			)
			if err != nil {
				return nil, err
			}

			bodies := bodiesOf(rows, itemBodyOf)

			return &itemList{Body: httpapi.NewPage(&in.ListInput, bodies, func(b itemBody) itemCursor {
				return itemCursor{
					Side:     string(b.position.Side),
					Interval: b.position.Interval,
					Position: b.position.Position,
				}
			})}, nil
		})
}
